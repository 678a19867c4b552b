use std::fs;
use std::path::Path;

use plotters::coord::combinators::IntoLogRange as _;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::error::{Error, Result};

/// A plot of lines, with logarithmic scales on both axes.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    pub(crate) series: Vec<Series>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(u64, u64)>,
}

impl Plot<'_> {
    /// Draws the plot into a file of `docs/performance`.
    pub(crate) fn draw(&self, file: &str) -> Result<()> {
        write(file, svg(|area| self.draw_on(area)))
    }

    fn draw_on<'b>(&self, area: &Area<'b>) -> Drawn<'b> {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let (x_most, y_most) = (all().map(|(x, _)| *x).max(), all().map(|(_, y)| *y).max());
        let (x_least, y_least) = (all().map(|(x, _)| *x).min(), all().map(|(_, y)| *y).min());
        let range = |least: Option<u64>, most: Option<u64>| least.unwrap_or(1).max(1)..most.unwrap_or(1).max(2);
        let x = range(x_least, x_most);
        // There is room for the legend above the lines.
        let y = range(y_least.map(|least| least / 2), y_most.map(|most| most * 10));

        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .margin_right(44)
            .x_label_area_size(44)
            .y_label_area_size(84)
            .build_cartesian_2d(x.log_scale(), y.log_scale())?;
        chart.configure_mesh().x_desc(self.x).y_desc(self.y).light_line_style(TRANSPARENT).draw()?;
        for (index, series) in self.series.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            let line = LineSeries::new(series.points.iter().copied(), color.stroke_width(2)).point_size(3);
            chart
                .draw_series(line)?
                .label(&series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        let labels = &mut chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()
    }
}

/// A plot of groups of bars. A group has a bar of each series.
pub(crate) struct Bars<'a> {
    pub(crate) title: &'a str,
    pub(crate) y: &'a str,
    pub(crate) scale: Scale,
    pub(crate) groups: &'a [String],
    /// For each series, its name and the height of its bar in each group, if it has one there.
    pub(crate) series: Vec<(String, Vec<Option<u64>>)>,
}

/// The scale of the height of bars.
#[derive(Clone, Copy)]
pub(crate) enum Scale {
    /// Heights show differences.
    Linear,
    /// Heights show ratios.
    Logarithmic,
}

impl Bars<'_> {
    /// Draws the plot into a file of `docs/performance`.
    pub(crate) fn draw(&self, file: &str) -> Result<()> {
        write(file, svg(|area| self.draw_on(area)))
    }

    fn draw_on<'b>(&self, area: &Area<'b>) -> Drawn<'b> {
        let heights = || self.series.iter().flat_map(|(_, heights)| heights.iter().flatten().copied());
        let most = heights().max().unwrap_or(1);
        // There is room for the legend above the bars.
        match self.scale {
            Scale::Linear => self.draw_over(area, 0, 0..most * 3 / 2),
            Scale::Logarithmic => {
                let bottom = heights().min().unwrap_or(1).max(2) / 2;
                self.draw_over(area, bottom, (bottom..most * 30).log_scale())
            }
        }
    }

    fn draw_over<'b, Y>(&self, area: &Area<'b>, bottom: u64, y: Y) -> Drawn<'b>
    where
        Y: AsRangedCoord<Value = u64>,
        Y::CoordDescType: ValueFormatter<u64>,
    {
        let middles: Vec<f64> = self.groups.iter().zip(1_u32..).map(|(_, group)| f64::from(group) - 0.5).collect();
        let x = 0.0..middles.last().map_or(1.0, |last| last + 0.5);

        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(84)
            .build_cartesian_2d(x, y)?;
        let name = |x: &f64| {
            let group = middles.iter().position(|middle| middle == x);
            group.and_then(|group| self.groups.get(group)).cloned().unwrap_or_default()
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            // They are at the middle of each group, and between the groups.
            .x_labels(2 * self.groups.len() + 1)
            .x_label_formatter(&name)
            .y_desc(self.y)
            .light_line_style(TRANSPARENT)
            .draw()?;
        let width = 0.8 / self.series.iter().fold(0.0, |count, _| count + 1.0);
        let mut left_of_middle = 0.4;
        for (index, (name, heights)) in self.series.iter().enumerate() {
            let color = COLORS[index % COLORS.len()].filled();
            let bars = middles.iter().zip(heights).filter_map(|(middle, height)| {
                let left = middle - left_of_middle;
                Some(Rectangle::new([(left, bottom), (left + width, (*height)?)], color))
            });
            chart
                .draw_series(bars)?
                .label(name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], color));
            left_of_middle -= width;
        }
        let labels = &mut chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()
    }
}

/// Returns the drawing as text. It ends with a newline, as all files of the repository do.
fn svg(draw: impl for<'a> FnOnce(&Area<'a>) -> Drawn<'a>) -> std::result::Result<String, String> {
    let mut svg = String::new();
    draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area()).map_err(|error| error.to_string())?;
    svg.truncate(svg.trim_end().len());
    Ok(svg + "\n")
}

/// Writes a drawing into `docs/performance`, which is created if it is missing.
fn write(file: &str, svg: std::result::Result<String, String>) -> Result<()> {
    let dir = Path::new("docs/performance");
    let path = dir.join(file);
    let failed = |source| Error::Write { path: path.clone(), source };
    let svg = svg.map_err(|error| failed(std::io::Error::other(error)))?;
    fs::create_dir_all(dir).map_err(failed)?;
    fs::write(&path, svg).map_err(failed)?;
    println!("drawn in {}", path.display());
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
const SIZE: (u32, u32) = (960, 460);
/// The palette of Okabe and Ito, whose colors color-blind people can tell apart.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(240, 228, 66),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_words_and_a_line_for_each_series() {
        let series = |name: &str, points: &[(u64, u64)]| Series { name: name.to_owned(), points: points.to_vec() };
        let series = vec![series("read", &[(1, 100), (10, 200)]), series("write", &[(1, 300), (10, 3000)])];
        let plot = Plot { title: "A request", x: "keys", y: "nanoseconds", series };
        let svg = svg(|area| plot.draw_on(area)).unwrap();
        for text in ["A request", "keys", "nanoseconds", "read", "write"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text} in {svg}");
        }
        // Two lines, and a short one for each in the legend.
        let is_line = |tag: &&str| tag.starts_with("<polyline") && tag.contains("stroke-width=\"2\"");
        assert_eq!(svg.lines().filter(is_line).count(), 4, "{svg}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn bars_have_their_words_and_a_missing_number_has_no_bar() {
        let groups = ["read", "write"].map(str::to_owned);
        let series = vec![("ours".to_owned(), vec![Some(10), Some(20)]), ("theirs".to_owned(), vec![None, Some(40)])];
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let bars = Bars { title: "A request", y: "instructions", scale, groups: &groups, series: series.clone() };
            let svg = svg(|area| bars.draw_on(area)).unwrap();
            for text in ["A request", "instructions", "read", "write", "ours", "theirs"] {
                assert!(svg.contains(&format!("\n{text}\n")), "{text} in {svg}");
            }
            let of = |color: &str| svg.matches(&format!("fill=\"{color}\"")).count();
            // One of each is in the legend.
            assert_eq!((of("#0072B2"), of("#D55E00")), (3, 2), "{svg}");
        }
    }

    #[test]
    fn nothing_to_draw_is_an_empty_plot() {
        let plot = Plot { title: "", x: "", y: "", series: Vec::new() };
        assert!(svg(|area| plot.draw_on(area)).is_ok());
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let bars = Bars { title: "", y: "", scale, groups: &[], series: Vec::new() };
            assert!(svg(|area| bars.draw_on(area)).is_ok());
        }
    }
}
