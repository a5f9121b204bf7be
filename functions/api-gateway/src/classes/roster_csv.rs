//! Rosters as CSV files: what teachers' spreadsheets write is read, with every mistake in its cell; and what is written
//! does nothing in a spreadsheet but show itself.

use std::collections::BTreeMap;

use domain::text::{DisplayName, Email};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bytes of a file: 500 rows with the longest cells, and as much again for columns that are not read.
pub(crate) const MAX_BYTES: usize = 384 * 1024;
/// Rows of a file: as many as a class has students.
const MAX_ROWS: usize = 500;
/// Bytes of a cell as a mistake shows it.
const SHOWN: usize = 80;
/// The columns that are read.
const COLUMNS: [&str; 2] = ["email", "name"];
/// What a spreadsheet takes for the beginning of a formula, if a cell begins with it.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// A student as a roster names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The line of the file, from 1.
    pub(crate) line: u64,
    /// The address.
    pub(crate) email: Email,
    /// The name.
    pub(crate) name: DisplayName,
}

/// What is wrong with a cell, or with the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CsvMistake {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column; empty if it is about the whole line.
    pub column: String,
    /// The cell as it stands there; a long one is cut.
    pub value: String,
    /// What is wrong, and what is accepted.
    pub detail: String,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parsed {
    /// The rows without mistakes.
    pub(crate) students: Vec<Listed>,
    /// All mistakes, in the order of the file.
    pub(crate) mistakes: Vec<CsvMistake>,
}

impl CsvMistake {
    /// A mistake in a cell.
    pub(crate) fn of(line: u64, column: &str, value: &str, detail: impl Into<String>) -> Self {
        let mut value = value.to_owned();
        value.truncate(value.floor_char_boundary(SHOWN));
        Self { line, column: column.to_owned(), value, detail: detail.into() }
    }

    fn of_line(line: u64, detail: impl Into<String>) -> Self {
        Self::of(line, "", "", detail)
    }
}

/// Reads a file: UTF-8 with or without BOM, separated by commas, semicolons or tabs, with a line of headings.
pub(crate) fn read(bytes: &[u8]) -> Parsed {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.split(|byte| *byte == b'\n').skip(1).count();
            let detail = "this is not UTF-8; save the file as \"CSV UTF-8\"";
            return Parsed::refused(CsvMistake::of_line(u64::try_from(line).unwrap_or(1), detail));
        }
    };
    // So that lines can be counted by one sign.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut lines = Lines { text: &text, offset: 0, line: 1 };
    // Only what is not UTF-8 cannot be read, and this is.
    let mut rows = reader.records().flatten().map(|row| (lines.of(&row), row));
    let (line, headings) = rows.next().unwrap_or_else(|| (1, csv::StringRecord::new()));
    let places = match places(line, &headings) {
        Ok(places) => places,
        Err(mistake) => return Parsed::refused(mistake),
    };
    let mut parsed = Parsed::default();
    let mut seen = BTreeMap::new();
    let filled = rows.filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()));
    for (number, (line, row)) in filled.enumerate() {
        if number == MAX_ROWS {
            let detail =
                format!("there are more than {MAX_ROWS} students, which no class may have");
            parsed.mistakes.push(CsvMistake::of_line(line, detail));
            break;
        }
        parsed.add(line, &row, places, &mut seen);
    }
    parsed
}

/// The lines of a text, counted as far as its rows were read.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line in which a row begins, from 1. The parser's own count is that of the end of the row before.
    fn of(&mut self, row: &csv::StringRecord) -> u64 {
        let start = row.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.text.len());
        let blank = self.text[start..].bytes().take_while(|byte| *byte == b'\n').count();
        let passed = self.text[self.offset..start + blank].bytes();
        self.line += passed.fold(0, |lines, byte| lines + u64::from(byte == b'\n'));
        self.offset = start + blank;
        self.line
    }
}

impl Parsed {
    fn refused(mistake: CsvMistake) -> Self {
        Self { students: Vec::new(), mistakes: vec![mistake] }
    }

    fn add(
        &mut self,
        line: u64,
        row: &csv::StringRecord,
        places: [usize; 2],
        seen: &mut BTreeMap<String, u64>,
    ) {
        let [email_cell, name_cell] =
            places.map(|place| harmful(row.get(place).unwrap_or_default().trim()));
        let email = match Email::try_from(email_cell.to_owned()) {
            Ok(email) => match seen.get(email.as_str()) {
                Some(first) => Err(format!("the same address as in line {first}")),
                None => Ok(email),
            },
            Err(error) => Err(error.to_string()),
        };
        let name = match DisplayName::try_from(name_cell.to_owned()) {
            Ok(_) if name_cell.contains(char::is_control) => {
                Err("must be one line of text; is a quotation mark missing?".to_owned())
            }
            Ok(name) => Ok(name),
            Err(error) => Err(error.to_string()),
        };
        if let Ok(email) = &email {
            seen.insert(email.as_str().to_owned(), line);
        }
        let mut wrong = |column, cell, detail: String| {
            self.mistakes.push(CsvMistake::of(line, column, cell, detail));
        };
        match (email, name) {
            (Ok(email), Ok(name)) => self.students.push(Listed { line, email, name }),
            (email, name) => {
                if let Err(detail) = email {
                    wrong(COLUMNS[0], email_cell, detail);
                }
                if let Err(detail) = name {
                    wrong(COLUMNS[1], name_cell, detail);
                }
            }
        }
    }
}

/// What separates the headings, which contain nothing else of that kind.
fn delimiter(text: &str) -> u8 {
    let headings = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    [b';', b'\t'].into_iter().find(|sign| headings.as_bytes().contains(sign)).unwrap_or(b',')
}

/// Where the columns are; others are not read.
fn places(line: u64, headings: &csv::StringRecord) -> Result<[usize; 2], CsvMistake> {
    let mut places = [0; 2];
    for (column, place) in COLUMNS.into_iter().zip(&mut places) {
        let named = |heading: &str| heading.trim().eq_ignore_ascii_case(column);
        let mut found = headings.iter().enumerate().filter(|(_, heading)| named(heading));
        *place = match (found.next(), found.next()) {
            (Some((place, _)), None) => place,
            (None, _) => {
                let first = headings.iter().collect::<Vec<_>>().join(", ");
                let detail = format!(
                    "the first line must have the headings email and name; {column} is missing"
                );
                return Err(CsvMistake::of(line, column, &first, detail));
            }
            (Some(_), Some((_, again))) => {
                let detail = format!("there are two columns with the heading {column}");
                return Err(CsvMistake::of(line, column, again, detail));
            }
        };
    }
    Ok(places)
}

/// A CSV file of these rows, in which no cell is a formula.
///
/// # Errors
/// Rows of different lengths.
pub(crate) fn write<R>(rows: impl IntoIterator<Item = R>) -> Result<String, csv::Error>
where
    R: IntoIterator<Item = String>,
{
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(harmless))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A cell that a spreadsheet shows as text and does not evaluate (OWASP, CSV injection).
fn harmless(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// The cell as it was before [`harmless`], so that an exported roster can be imported.
fn harmful(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether it begins like a formula, perhaps after quotes: one that was added can be told from those before.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

#[cfg(test)]
mod tests;
