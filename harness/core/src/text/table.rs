//! Tables of text. Columns are as wide as their content. One of them is shortened where the line is too short.
#![allow(missing_docs, reason = "the names say it")]

use super::visible;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

pub struct Table {
    heads: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    gives_way: usize,
}

const GAP: usize = 2;
/// The column that is shortened never gets narrower than this.
const LEAST: usize = 12;

impl Table {
    /// A table with these columns, of which one is shortened where the line is too short for all.
    pub fn new(heads: &[(&str, Align)], gives_way: usize) -> Table {
        let heads = heads.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Table { heads, rows: Vec::new(), gives_way }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| visible(cell)).collect());
    }

    /// The table's lines at a width, indented by two, the heads first.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let widths = self.widths(width.saturating_sub(GAP));
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| head.clone()).collect();
        std::iter::once(&heads).chain(&self.rows).map(|cells| self.line(cells, &widths)).collect()
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> =
            self.heads.iter().enumerate().map(|(column, (head, _))| columns(head).max(widest(column))).collect();
        let total: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        if let Some(giving) = widths.get_mut(self.gives_way) {
            *giving = giving.saturating_sub(total.saturating_sub(width)).max(LEAST.min(*giving));
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, ((_, align), width)) in self.heads.iter().zip(widths).enumerate() {
            let cell = cut(cells.get(column).map_or("", String::as_str), *width);
            let blank = " ".repeat(width.saturating_sub(columns(&cell)));
            line.push_str(&" ".repeat(GAP));
            match align {
                Align::Left => line.extend([cell.as_str(), &blank]),
                Align::Right => line.extend([blank.as_str(), &cell]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Columns that a text takes. Names and findings are ASCII but for a few marks, each one column wide.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// A text of at most so many columns; what was cut off is marked.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A text broken at blanks into lines of at most so many columns. A longer path gets a line of its own, so
/// that it can still be copied; any other word is broken.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if word.contains('/') || columns(word) <= width {
            line.push_str(word);
            continue;
        }
        for c in word.chars() {
            if columns(&line) >= width.max(1) {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests;
