//! A sheet of small charts, both axes logarithmic.

use std::fmt::Write;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 34.0;
const COLUMNS: usize = 3;
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#777777"];

/// A chart: title with unit, and a named line for each subject.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// What is drawn.
    pub(crate) title: String,
    /// Names and points; values that are not positive are left out.
    pub(crate) lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// Draws the charts, three in a row.
pub(crate) fn sheet(charts: &[Chart]) -> String {
    let rows = charts.len().div_ceil(COLUMNS);
    let (width, height) = (WIDTH * COLUMNS as f64, HEIGHT * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (at, chart) in charts.iter().enumerate() {
        let x = (at % COLUMNS) as f64 * WIDTH;
        let y = (at / COLUMNS) as f64 * HEIGHT;
        let drawn = draw(chart).unwrap_or_default();
        svg += &format!("<g transform=\"translate({x} {y})\">\n{drawn}</g>\n");
    }
    svg + "</svg>\n"
}

/// Whole powers of ten around the values.
fn decades(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low <= high).then(|| {
        let low = low.log10().floor();
        (low, high.log10().ceil().max(low + 1.0))
    })
}

/// A chart, or nothing if there is no point in it.
fn draw(chart: &Chart) -> Option<String> {
    let points = || {
        chart
            .lines
            .iter()
            .flat_map(|(_, line)| line)
            .filter(|(_, y)| *y > 0.0)
    };
    let (left, right) = decades(points().map(|(x, _)| *x))?;
    let (low, high) = decades(points().map(|(_, y)| *y))?;
    let x = |value: f64| LEFT + (value.log10() - left) / (right - left) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| {
        HEIGHT - BOTTOM - (value.log10() - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    };
    let mut svg = format!(
        "<text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">{}</text>\n",
        chart.title
    );
    for power in left as i32..=right as i32 {
        let (at, text) = (x(10_f64.powi(power)), label(power));
        svg += &rule(at, TOP, at, HEIGHT - BOTTOM);
        svg += &format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>\n",
            HEIGHT - BOTTOM + 15.0
        );
    }
    for power in low as i32..=high as i32 {
        let (at, text) = (y(10_f64.powi(power)), label(power));
        svg += &rule(LEFT, at, WIDTH - RIGHT, at);
        svg += &format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for ((name, line), colour) in chart.lines.iter().zip(COLOURS) {
        let shown: Vec<(f64, f64)> = line
            .iter()
            .filter(|(_, y)| *y > 0.0)
            .map(|(px, py)| (x(*px), y(*py)))
            .collect();
        svg += &polyline(name, &shown, colour);
    }
    Some(svg)
}

fn rule(x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>\n"
    )
}

/// A line with its points and, at its end, its name.
fn polyline(name: &str, points: &[(f64, f64)], colour: &str) -> String {
    let mut svg = String::new();
    let path: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (x, y) in points {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>"
        );
    }
    if let Some((x, y)) = points.last() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
            x - 2.0,
            y - 7.0
        );
    }
    svg
}

/// A power of ten as people write it.
fn label(power: i32) -> String {
    match power {
        6.. => format!("10^{power}"),
        3..6 => format!("{}k", 10_i32.pow(power.unsigned_abs() - 3)),
        0..3 => 10_i32.pow(power.unsigned_abs()).to_string(),
        _ => format!("{:.*}", power.unsigned_abs() as usize, 10_f64.powi(power)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_written_short() {
        let rows = [
            (-2, "0.01"),
            (0, "1"),
            (2, "100"),
            (3, "1k"),
            (4, "10k"),
            (7, "10^7"),
        ];
        for (power, want) in rows {
            assert_eq!(label(power), want);
        }
    }

    #[test]
    fn a_chart_spans_whole_decades_and_leaves_out_what_is_not_positive() {
        let lines = vec![("ours", vec![(10.0, 3.0), (100.0, 0.0), (1000.0, 30.0)])];
        let svg = sheet(&[Chart {
            title: "start, ms".to_owned(),
            lines,
        }]);
        assert_eq!(svg.matches("<circle").count(), 2);
        // Decades 10, 100, 1k across; 1, 10, 100 up.
        assert_eq!(svg.matches("<line").count(), 6);
        assert!(svg.contains(">ours</text>") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_chart_without_points_is_empty() {
        let lines = vec![("ours", vec![(10.0, 0.0)])];
        assert_eq!(
            sheet(&[Chart {
                title: "x".to_owned(),
                lines
            }])
            .matches("<line")
            .count(),
            0
        );
    }
}
