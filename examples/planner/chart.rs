//! What a success costs against how many calls succeed, as an SVG that needs nothing else.

use std::fmt::Write as _;

use crate::policies::Curve;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 850.0;
const TOP: f64 = 120.0;
const BOTTOM: f64 = 460.0;

/// Told apart by most eyes; after Okabe and Ito, "Color Universal Design", some darker for the numbers on them.
const COLOURS: [&str; 4] = ["#d55e00", "#0072b2", "#007a5a", "#a0528a"];

/// The share of calls that fail, and the percentage that succeeds.
const TICKS: [(f64, &str); 14] = [
    (0.8, "20"),
    (0.5, "50"),
    (0.2, "80"),
    (0.1, "90"),
    (0.05, "95"),
    (0.02, "98"),
    (0.01, "99"),
    (5e-3, "99.5"),
    (2e-3, "99.8"),
    (1e-3, "99.9"),
    (5e-4, "99.95"),
    (1e-4, "99.99"),
    (1e-5, "99.999"),
    (1e-6, "99.9999"),
];

/// A point of a curve: the share of calls that fail, the dollars of a success, the attempts.
type Mark = (f64, f64, u32);

pub(crate) fn svg(curves: &[Curve]) -> String {
    let marks: Vec<(&str, Vec<Mark>)> =
        curves.iter().map(|curve| (curve.name.as_str(), marks(curve))).collect();
    let all = || marks.iter().flat_map(|(_, marks)| marks);
    let scale = Scale {
        most_failed: all().map(|mark| mark.0).fold(0.02, f64::max).min(0.99) * 1.25,
        least_failed: all().map(|mark| mark.0).fold(0.01, f64::min) / 1.6,
        // Where nothing succeeds there is nothing to draw, on some axis.
        most_usd: all().map(|mark| mark.1).reduce(f64::max).unwrap_or(0.01).max(1e-9) * 1.12,
    };
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' \
         role='img' aria-labelledby='title desc' font-family='Helvetica, Arial, sans-serif' font-size='13' fill='#222'>\n\
         <title id='title'>Cost of a success against the share of calls that succeed</title>\n\
         <desc id='desc'>One curve for each policy; the number in a mark is its max_attempts.</desc>\n\
         <rect width='100%' height='100%' fill='#fff'/>\n\
         <text x='{LEFT}' y='32' font-size='18' font-weight='bold'>What a success costs, and how many calls succeed</text>\n\
         <text x='{LEFT}' y='53' fill='#555'>The number in a mark is max_attempts. Failed calls are paid for, too.</text>\n"
    );
    scale.axes(&mut svg);
    legend(&mut svg, marks.iter().map(|(name, _)| *name));
    // All lines first: none crosses a number.
    for ((_, marks), colour) in marks.iter().zip(COLOURS) {
        scale.line(&mut svg, marks, colour);
    }
    for ((_, marks), colour) in marks.iter().zip(COLOURS) {
        scale.marks(&mut svg, marks, colour);
    }
    svg.push_str("</svg>\n");
    svg
}

fn marks(curve: &Curve) -> Vec<Mark> {
    let marks = curve.points.iter().filter_map(|point| {
        let cost = point.plan.per_success?.cost?;
        Some((1.0 - point.plan.success, cost.mean.as_usd(), point.attempts))
    });
    // Beyond one in a million the plan is no longer about models.
    marks.map(|(failed, usd, attempts)| (failed.max(1e-6), usd, attempts)).collect()
}

fn legend<'a>(svg: &mut String, names: impl Iterator<Item = &'a str>) {
    for ((name, colour), place) in names.zip(COLOURS).zip(0_u8..) {
        let x = LEFT + f64::from(place % 2) * 330.0;
        let y = 78.0 + f64::from(place / 2) * 20.0;
        let _ = writeln!(
            svg,
            "<circle cx='{:.1}' cy='{:.1}' r='6' fill='{colour}'/><text x='{:.1}' y='{y:.1}'>{}</text>",
            x + 6.0,
            y - 4.5,
            x + 18.0,
            escaped(name),
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Success goes to the right by the logarithm of what is lacking: each tenth of the failures is as far as the last.
struct Scale {
    most_failed: f64,
    least_failed: f64,
    most_usd: f64,
}

impl Scale {
    fn x(&self, failed: f64) -> f64 {
        let share = (self.most_failed / failed).ln() / (self.most_failed / self.least_failed).ln();
        LEFT + share * (RIGHT - LEFT)
    }

    fn y(&self, usd: f64) -> f64 {
        BOTTOM - usd / self.most_usd * (BOTTOM - TOP)
    }

    fn axes(&self, svg: &mut String) {
        let mut last = 0.0;
        for (failed, succeeds) in TICKS {
            let x = self.x(failed);
            // Within the axis, and not on the label before.
            if !(LEFT..=RIGHT).contains(&x) || x < last + 56.0 {
                continue;
            }
            last = x;
            let _ = writeln!(
                svg,
                "<line x1='{x:.1}' y1='{TOP}' x2='{x:.1}' y2='{BOTTOM}' stroke='#e4e4e4'/>\
                 <text x='{x:.1}' y='{:.1}' text-anchor='middle'>{succeeds} %</text>",
                BOTTOM + 20.0,
            );
        }
        let (step, digits) = step(self.most_usd);
        for n in 0_u8..20 {
            let usd = step * f64::from(n);
            if usd > self.most_usd {
                break;
            }
            let y = self.y(usd);
            let _ = writeln!(
                svg,
                "<line x1='{LEFT}' y1='{y:.1}' x2='{RIGHT}' y2='{y:.1}' stroke='#e4e4e4'/>\
                 <text x='{:.1}' y='{:.1}' text-anchor='end'>${usd:.digits$}</text>",
                LEFT - 10.0,
                y + 4.5,
            );
        }
        let middle = f64::midpoint(TOP, BOTTOM);
        let _ = writeln!(
            svg,
            "<path d='M{LEFT} {TOP}V{BOTTOM}H{RIGHT}' fill='none' stroke='#222'/>\
             <text x='{:.1}' y='{:.1}' text-anchor='middle' font-size='14'>calls that succeed</text>\
             <text transform='translate(24 {middle:.1}) rotate(-90)' text-anchor='middle' font-size='14'>dollars per success</text>",
            f64::midpoint(LEFT, RIGHT),
            BOTTOM + 50.0,
        );
    }

    fn line(&self, svg: &mut String, marks: &[Mark], colour: &str) {
        let points =
            marks.iter().map(|mark| format!("{:.1},{:.1}", self.x(mark.0), self.y(mark.1)));
        let _ = writeln!(
            svg,
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>",
            points.collect::<Vec<_>>().join(" "),
        );
    }

    fn marks(&self, svg: &mut String, marks: &[Mark], colour: &str) {
        for (failed, usd, attempts) in marks {
            let (x, y) = (self.x(*failed), self.y(*usd));
            let _ = writeln!(
                svg,
                "<circle cx='{x:.1}' cy='{y:.1}' r='9' fill='{colour}' stroke='#fff' stroke-width='1.5'/>\
                 <text x='{x:.1}' y='{:.1}' text-anchor='middle' font-size='11' font-weight='bold' fill='#fff'>{attempts}</text>",
                y + 4.0,
            );
        }
    }
}

/// A round number of dollars that fits some four to nine times, and the decimal places that it has.
fn step(most: f64) -> (f64, usize) {
    let mut step = 100.0;
    let mut digits = 0;
    loop {
        for part in [1.0, 0.5, 0.2] {
            let places = digits + usize::from(part < 1.0 && step <= 1.0);
            // No axis is finer than this.
            if most / (step * part) >= 4.0 || digits >= 9 {
                return (step * part, places);
            }
        }
        digits += usize::from(step <= 1.0);
        step /= 10.0;
    }
}
