use std::fs;
use std::path::Path;

use plotters::coord::combinators::IntoLogRange as _;
use plotters::prelude::*;

use crate::error::{Error, Result};

/// Lines over what they grow with, both on logarithmic scales.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) series: Vec<Series>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(u64, u64)>,
}

impl Plot<'_> {
    /// Writes it as SVG, into a directory that is made if it is not there.
    pub(super) fn draw(&self, path: &Path) -> Result<()> {
        let failed = |source| Error::Write { path: path.to_owned(), source };
        let svg = self.svg().map_err(|error| failed(std::io::Error::other(error)))?;
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(path, svg).map_err(failed)
    }

    fn svg(&self) -> std::result::Result<String, String> {
        let mut svg = String::new();
        self.draw_on(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .map_err(|error| error.to_string())?;
        // The files of the repository end with a line.
        svg.truncate(svg.trim_end().len());
        Ok(svg + "\n")
    }

    fn draw_on<'b>(&self, area: &DrawingArea<SVGBackend<'b>, plotters::coord::Shift>) -> Drawn<'b> {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let (x_most, y_most) = (all().map(|(x, _)| *x).max(), all().map(|(_, y)| *y).max());
        let (x_least, y_least) = (all().map(|(x, _)| *x).min(), all().map(|(_, y)| *y).min());
        let range = |least: Option<u64>, most: Option<u64>| least.unwrap_or(1).max(1)..most.unwrap_or(1).max(2);
        let x = range(x_least, x_most);
        // With room for the legend above the lines.
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

type Drawn<'a> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
const SIZE: (u32, u32) = (760, 460);
/// Those of Okabe and Ito, which people tell apart who do not see all colors.
const COLORS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_words_and_a_line_for_each_series() {
        let series = |name: &str, points: &[(u64, u64)]| Series { name: name.to_owned(), points: points.to_vec() };
        let series = vec![series("read", &[(1, 100), (10, 200)]), series("write", &[(1, 300), (10, 3000)])];
        let svg = Plot { title: "A request", x: "keys", y: "nanoseconds", series }.svg().unwrap();
        for text in ["A request", "keys", "nanoseconds", "read", "write"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text} in {svg}");
        }
        // Two lines, and a short one for each in the legend.
        let is_line = |tag: &&str| tag.starts_with("<polyline") && tag.contains("stroke-width=\"2\"");
        assert_eq!(svg.lines().filter(is_line).count(), 4, "{svg}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn nothing_to_draw_is_an_empty_plot() {
        assert!(Plot { title: "", x: "", y: "", series: Vec::new() }.svg().is_ok());
    }
}
