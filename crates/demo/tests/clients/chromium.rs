//! Chromium without a window, driven by chromedriver.

use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::cookie::SameSite;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, WindowHandle};
use tokio::runtime::Runtime;

use super::{Client, Cookie, driver, program};

/// A tab of a browser that has its own profile. Dropping the last tab closes the browser.
pub struct Tab {
    browser: Rc<Browser>,
    window: WindowHandle,
    home: String,
}

impl Tab {
    /// Opens a new browser whose first tab shows this page.
    pub fn open(home: &str) -> Self {
        Self::open_with(ThirdPartyCookies::Allowed, home)
    }

    pub fn open_with(third_party_cookies: ThirdPartyCookies, home: &str) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), third_party_cookies, home)
    }

    fn open_in(profile: TempDir, third_party_cookies: ThirdPartyCookies, home: &str) -> Self {
        let browser = Rc::new(Browser::start(profile, third_party_cookies));
        let window = browser.run(browser.driver().window());
        let tab = Self { browser, window, home: home.to_owned() };
        tab.go(home);
        tab
    }

    /// Makes this tab the one that is driven.
    pub fn come_back(&self) {
        self.driver(|driver| driver.switch_to_window(self.window.clone()));
    }

    /// Shows a page as if its address had been typed.
    pub fn go(&self, url: &str) {
        self.driver(|driver| driver.goto(url));
    }

    /// Runs a script in the page: the body of a function that returns a text.
    pub fn script(&self, script: &str) -> String {
        self.driver(|driver| driver.execute(script, Vec::new())).convert().unwrap()
    }

    /// The cookies for the page or the frame that is shown.
    pub fn shown_cookies(&self) -> Vec<Cookie> {
        let cookies = self.driver(|driver| driver.get_all_cookies());
        let ours = |cookie: thirtyfour::Cookie| Cookie {
            name: cookie.name,
            value: cookie.value,
            domain: cookie.domain.unwrap(),
            path: cookie.path.unwrap(),
            secure: cookie.secure.unwrap(),
            http_only: cookie.http_only.unwrap(),
            expires: cookie.expiry,
        };
        cookies.into_iter().map(ours).collect()
    }

    /// The `SameSite` of the only cookie for the page that is shown.
    pub fn same_site(&self) -> SameSite {
        let cookies = self.driver(|driver| driver.get_all_cookies());
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        cookies[0].same_site.unwrap()
    }

    /// Waits until this expression is true in the page, even if the page changes meanwhile.
    pub fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let script = format!("return Boolean({expression})");
        // While one page replaces another, there is no page to ask.
        let is_true = || async {
            let answer = self.browser.driver().execute(script.as_str(), Vec::new()).await;
            Ok(answer.is_ok_and(|answer| answer.json() == true))
        };
        while !self.browser.run(is_true()) {
            assert!(Instant::now() < deadline, "this does not become true: {expression}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn text(&self, selector: &str) -> String {
        self.element(selector, |element| async move { element.text().await })
    }

    pub fn click(&self, selector: &str) {
        self.element(selector, |element| async move { element.click().await });
    }

    pub fn type_into(&self, selector: &str, text: &str) {
        self.element(selector, |element| async move {
            element.clear().await?;
            element.send_keys(text).await
        });
    }

    /// Goes into a frame of the page, runs the closure there, and comes back.
    pub fn in_frame<T>(&self, number: u16, act: impl FnOnce(&Self) -> T) -> T {
        self.driver(|driver| driver.enter_frame(number));
        let answer = act(self);
        self.driver(|driver| driver.enter_default_frame());
        answer
    }

    /// Sends a request from the page.
    pub fn fetch(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let script = "const [method, path, body, done] = arguments; \
            fetch(path, method === 'GET' ? {} : { method, body }) \
                .then(async answer => done([answer.status, await answer.text()]), error => done([0, String(error)]))";
        let arguments = vec![json!(method), json!(path), json!(body)];
        let answer = self.driver(|driver| driver.execute_async(script, arguments));
        answer.convert().unwrap()
    }

    fn element<T, F: Future<Output = WebDriverResult<T>>>(
        &self,
        selector: &str,
        act: impl FnOnce(WebElement) -> F,
    ) -> T {
        self.driver(|driver| async move { act(driver.find(By::Css(selector)).await?).await })
    }

    fn driver<'a, T, F: Future<Output = WebDriverResult<T>>>(&'a self, act: impl FnOnce(&'a WebDriver) -> F) -> T {
        self.browser.run(act(self.browser.driver()))
    }
}

/// The setting of the browser for cookies of a site that is framed by another.
#[derive(Clone, Copy, Debug)]
pub enum ThirdPartyCookies {
    Allowed,
    Blocked,
}

struct Browser {
    // Taken when the browser is closed.
    driver: Option<WebDriver>,
    runtime: Runtime,
    profile: Option<TempDir>,
    third_party_cookies: ThirdPartyCookies,
}

impl Browser {
    fn start(profile: TempDir, third_party_cookies: ThirdPartyCookies) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let capabilities = capabilities(profile.path(), third_party_cookies).unwrap();
        let driver = runtime.block_on(WebDriver::new(driver::address(), capabilities)).unwrap();
        Self { driver: Some(driver), runtime, profile: Some(profile), third_party_cookies }
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().unwrap()
    }

    #[track_caller]
    fn run<T>(&self, command: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime.block_on(command).unwrap()
    }

    fn close(&mut self) -> Option<TempDir> {
        if let Some(driver) = self.driver.take() {
            // Ignored: if the browser has crashed, the test that notices it has failed.
            let _ = self.runtime.block_on(driver.quit());
        }
        self.profile.take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.close();
    }
}

fn capabilities(profile: &Path, third_party_cookies: ThirdPartyCookies) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(program("chromium", "chromium chromium-driver").to_str().unwrap())?;
    capabilities.add_arg("--headless")?;
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    // Names that are not loopback, and that lead to this machine all the same.
    capabilities.add_arg("--host-resolver-rules=MAP *.example 127.0.0.1")?;
    let mode = match third_party_cookies {
        ThirdPartyCookies::Allowed => 0,
        ThirdPartyCookies::Blocked => 1,
    };
    capabilities.add_experimental_option("prefs", json!({ "profile.cookie_controls_mode": mode }))?;
    // Fetch nothing in the background, and need little shared memory: a container may have little.
    for argument in ["--disable-background-networking", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"] {
        capabilities.add_arg(argument)?;
    }
    if rustix::process::geteuid().is_root() {
        capabilities.add_arg("--no-sandbox")?;
    }
    Ok(capabilities)
}

impl Client for Tab {
    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.come_back();
        self.fetch(method, path, body)
    }

    fn another(&self) -> Self {
        let window = self.driver(|driver| driver.new_tab());
        let tab = Self { browser: Rc::clone(&self.browser), window, home: self.home.clone() };
        tab.come_back();
        tab.go(&tab.home);
        tab
    }

    fn opened_again(self) -> Self {
        let mut browser = Rc::into_inner(self.browser).unwrap();
        let profile = browser.close().unwrap();
        Self::open_in(profile, browser.third_party_cookies, &self.home)
    }

    fn cookies(&mut self) -> Vec<Cookie> {
        self.shown_cookies()
    }
}
