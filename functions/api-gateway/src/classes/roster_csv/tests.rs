use super::{MAX_ROWS, Parsed, harmful, harmless, read, write};

/// The students of a file without mistakes: line, address, name.
fn students(csv: impl AsRef<[u8]>) -> Vec<(u64, String, String)> {
    let Parsed { students, mistakes } = read(csv.as_ref());
    assert_eq!(mistakes, []);
    let shown = students
        .into_iter()
        .map(|student| (student.line, String::from(student.email), String::from(student.name)));
    shown.collect()
}

/// The mistakes of a file: line, column, and a part of what is said.
fn check(csv: impl AsRef<[u8]>, expected: &[(u64, &str, &str)]) {
    let text = String::from_utf8_lossy(csv.as_ref()).into_owned();
    let found = read(csv.as_ref()).mistakes;
    assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
    for (mistake, (line, column, part)) in found.iter().zip(expected) {
        assert_eq!(
            (mistake.line, mistake.column.as_str()),
            (*line, *column),
            "{text}: {mistake:?}"
        );
        assert!(mistake.detail.contains(part), "{text}: {mistake:?}");
    }
}

#[test]
fn what_spreadsheets_write_is_read() {
    let expected = vec![
        (2, "ada@example.org".to_owned(), "Ada Lovelace".to_owned()),
        (3, "bob@example.org".to_owned(), "Bob, \"the builder\"".to_owned()),
    ];
    let rows = "Ada@Example.org,Ada Lovelace\nbob@example.org,\"Bob, \"\"the builder\"\"\"\n";
    let plain = format!("email,name\n{rows}");
    let variants = [
        plain.clone(),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.trim_end().to_owned(),
        format!(" Email , NAME \n{rows}"),
        format!("{plain},\n , \n"),
        "email;name\nAda@Example.org;Ada Lovelace\nbob@example.org;\"Bob, \"\"the builder\"\"\"".to_owned(),
        "email\tname\nAda@Example.org\tAda Lovelace\nbob@example.org\t\"Bob, \"\"the builder\"\"\"".to_owned(),
        "name,group,email\nAda Lovelace,1,ada@example.org\n\"Bob, \"\"the builder\"\"\",2,bob@example.org".to_owned(),
    ];
    for csv in variants {
        assert_eq!(students(&csv), expected, "{csv:?}");
    }
    assert_eq!(students("email,name\n"), []);
    // The lines are those that an editor shows, whatever ends them, with empty ones.
    for end in ["\n", "\r\n", "\r"] {
        let csv =
            "\n\nemail;name\n\n\nada@example.org;Ada\nbob@example.org;Bob\n\n".replace('\n', end);
        let lines = students(&csv).into_iter().map(|(line, ..)| line).collect::<Vec<_>>();
        assert_eq!(lines, [6, 7], "{csv:?}");
    }
}

#[test]
fn every_mistake_is_told_with_its_cell() {
    let csv = "email,name\n\
               ada,\n\
               ada@example.org,Ada\n\
               bob@example.org\n\
               ADA@example.org,Ada again\n\
               eve@example.org,\"Eve\nzoe@example.org,Zoe\"\n";
    check(
        csv,
        &[
            (2, "email", "e-mail address"),
            (2, "name", "empty"),
            (4, "name", "empty"),
            (5, "email", "as in line 3"),
            (6, "name", "quotation mark"),
        ],
    );
    check(
        format!("email,name\n{}@example.org,{}\n", "a".repeat(250), "b".repeat(101)),
        &[(2, "email", "at most 254"), (2, "name", "at most 100")],
    );
}

#[test]
fn a_file_of_another_kind_is_refused_with_the_reason() {
    check("", &[(1, "email", "headings")]);
    check("ada@example.org,Ada\n", &[(1, "email", "headings")]);
    check("email,first name\nada@example.org,Ada\n", &[(1, "name", "name is missing")]);
    check("email,name,email\n", &[(1, "email", "two columns")]);
    check(b"email,name\nada@example.org,Ad\xe4\n", &[(2, "", "UTF-8")]);
    check(b"\xff\xfee\0m\0", &[(1, "", "UTF-8")]);
    check("email,name\nada@example.org,A\0da\n", &[(2, "name", "NUL")]);
    // A cell without end swallows the rest, which is too long for a name.
    let endless = format!("email,name\nada@example.org,\"{}", "x@example.org,X\n".repeat(1_000));
    check(endless, &[(2, "name", "at most 100")]);
}

#[test]
fn a_class_fits_and_one_more_does_not() {
    let row = |number: usize| format!("student{number}@example.org,Student\n");
    let most: String = (0..MAX_ROWS).map(row).collect();
    assert_eq!(students(format!("email,name\n{most}")).len(), MAX_ROWS);
    let csv = format!("email,name\n{most}{}", row(MAX_ROWS));
    check(csv, &[(502, "", "more than 500")]);
}

#[test]
fn no_cell_that_is_written_begins_like_a_formula_and_all_are_read_back() {
    for cell in ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "'=1", "''=1", "'quoted", "a=b", "", "'"]
    {
        let written = harmless(cell.to_owned());
        assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r']), "{written:?}");
        assert_eq!(harmful(&written), cell, "{written:?}");
    }
    let name = "=HYPERLINK(\"http://example.org\"; \"Ada\")";
    let rows = [["email", "name"], ["-ada@example.org", name]];
    let csv = write(rows.map(|row| row.map(str::to_owned))).unwrap();
    assert!(csv.contains("\r\n'-ada@example.org,\"'=HYPERLINK(\"\"http"), "{csv}");
    assert_eq!(students(&csv), [(2, "-ada@example.org".to_owned(), name.to_owned())]);
}
