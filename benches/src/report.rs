//! The table at the end, and the same as JSON.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// One measured row.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The product, in `unit`.
    pub value: f64,
    /// The baseline, in `unit`.
    pub baseline: Option<f64>,
    /// What the figures count.
    pub unit: &'static str,
    /// The median of the pairs' ratios, product over baseline.
    pub ratio: Option<f64>,
    /// What is asked for.
    pub goal: String,
    /// Whether it is met.
    pub met: Option<bool>,
}

/// All rows of a run.
#[derive(Serialize)]
pub struct Report {
    short: bool,
    cores: usize,
    load_before: String,
    load_after: String,
    rows: Vec<Row>,
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

impl Report {
    /// A report with no rows; notes the machine's load.
    #[must_use]
    pub fn new(short: bool) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self {
            short,
            cores,
            load_before: load_average(),
            load_after: String::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a row and prints it at once.
    pub fn add(&mut self, row: Row) {
        println!("{}", line(&row));
        self.rows.push(row);
    }

    /// Adds a row of pairs `(product, baseline)`; met when the median ratio keeps `limit` (an upper one, or a lower one
    /// for what should be high).
    pub fn pairs(&mut self, name: &str, unit: &'static str, pairs: &[(f64, f64)], goal: Goal) {
        let ratio = median(pairs.iter().map(|(product, baseline)| product / baseline));
        self.add(Row {
            name: name.to_owned(),
            value: median(pairs.iter().map(|pair| pair.0)),
            baseline: Some(median(pairs.iter().map(|pair| pair.1))),
            unit,
            ratio: Some(ratio),
            goal: goal.to_string(),
            met: goal.judge(ratio),
        });
    }

    /// Adds a row without a baseline.
    pub fn figure(&mut self, name: &str, unit: &'static str, value: f64, goal: Goal) {
        let (met, goal) = (goal.judge(value), goal.to_string());
        self.add(Row {
            name: name.to_owned(),
            value,
            baseline: None,
            unit,
            ratio: None,
            goal,
            met,
        });
    }

    /// Prints the table.
    pub fn print(&mut self) {
        self.load_after = load_average();
        println!(
            "\n{} cores, load {} before and {} after\n",
            self.cores, self.load_before, self.load_after
        );
        println!(
            "{:<58} {:>10} {:>10} {:<10} {:>6}  goal",
            "", "product", "baseline", "unit", "ratio"
        );
        for row in &self.rows {
            println!("{}", line(row));
        }
    }

    /// Writes the rows as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

fn line(row: &Row) -> String {
    let figure = |value: f64| {
        if value >= 1_000.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        }
    };
    let mark = match row.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    format!(
        "{:<58} {:>10} {:>10} {:<10} {:>6}  {} {mark}",
        row.name,
        figure(row.value),
        row.baseline.map_or_else(String::new, figure),
        row.unit,
        row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        row.goal
    )
}

/// What is asked of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At most.
    AtMost(f64),
    /// At least.
    AtLeast(f64),
    /// Nothing: it is shown to be known.
    None,
}

impl Goal {
    fn judge(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(value <= limit),
            Self::AtLeast(limit) => Some(value >= limit),
            Self::None => None,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "<= {limit}"),
            Self::AtLeast(limit) => write!(f, ">= {limit}"),
            Self::None => Ok(()),
        }
    }
}

/// The middle value.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which the share `p` of all lies.
#[must_use]
pub fn percentile(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let place = ((values.len() as f64 * p).ceil() as usize).saturating_sub(1);
    values.get(place).copied().unwrap_or(f64::NAN)
}
