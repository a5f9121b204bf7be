//! What the demonstration shows, for a terminal of 80 columns. Pure.

use std::path::Path;

use api_gateway::responses::{ClassAlert, HeatMap, HeatMapStudent};
use domain::{
    level::Level,
    sentence::counted,
    struggle::{Severity, Trigger},
};
use events::notification_made::Notification;

use super::play::{Doors, Played, Standing};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Columns for a name.
const NAME: usize = 10;
/// Columns of the progress bar.
const BAR: usize = 28;
/// Alerts that are shown; the rest is counted.
const ALERTS: usize = 8;

/// How something is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Whether it is shown on a terminal, in colours.
    pub(super) has_colours: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// A cell: a colour or, without them, a shade.
    fn cell(self, score: Option<u8>, width: usize) -> String {
        let Some(score) = score else { return self.paint("2", &"·".repeat(width)) };
        let (colour, shade) = match Level::of_score(score) {
            Level::Beginner => ("41", "░"),
            Level::Learning => ("43", "▒"),
            Level::Proficient => ("42", "▓"),
            Level::Mastered => ("44", "█"),
        };
        if self.has_colours { self.paint(colour, &" ".repeat(width)) } else { shade.repeat(width) }
    }
}

/// How far it is, in one line that is replaced by the next.
pub(super) fn bar(standing: Standing, days: usize) -> String {
    let Standing { day, done, of, news } = standing;
    let share = done * BAR / of.max(1);
    let (full, empty) = ("█".repeat(share), "░".repeat(BAR - share));
    let percent = done * 100 / of.max(1);
    format!("day {day:>2} of {days} {full}{empty} {percent:>3} %  {news} news to the teacher")
}

/// A day in a line of its own, where lines cannot be replaced.
pub(super) fn line(standing: Standing, days: usize) -> String {
    let Standing { day, done, of, news } = standing;
    format!("day {day} of {days}: {done} of {of} activities, {news} news to the teacher")
}

/// A student's row of the heat map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) student: &'a HeatMapStudent,
    pub(super) streak: u64,
    pub(super) longest: u64,
}

/// The scores of all students in the topics in which there are any.
pub(super) fn heat_map(map: &HeatMap, rows: &[Row<'_>], style: Style) -> String {
    let has_score = |column: &usize| {
        map.students.iter().any(|student| student.scores.get(*column).is_some_and(Option::is_some))
    };
    let columns: Vec<usize> = (0..map.topics.len()).filter(has_score).collect();
    // Neighbours of one module, with a gap between modules.
    let groups: Vec<&[usize]> = columns
        .chunk_by(|one, other| map.topics[*one].module == map.topics[*other].module)
        .collect();
    let rest = NAME + groups.len() + "  100  14/14".len();
    let width = if rest + 2 * columns.len() <= WIDTH { 2 } else { 1 };
    let heads = groups.iter().map(|group| {
        let title = map.topics[group[0]].module.replace('-', " ");
        let room = group.len() * width;
        format!("{:<room$} ", cut(&title, room))
    });
    let head = format!("{:<NAME$}{} all  streak", "", heads.collect::<String>());
    let mut lines = vec![style.bold(&head)];
    for Row { student, streak, longest } in rows {
        let cells = groups.iter().map(|group| {
            let cells = group
                .iter()
                .map(|column| style.cell(student.scores.get(*column).copied().flatten(), width));
            cells.collect::<String>() + " "
        });
        let mastery = student.mastery.map_or_else(|| "–".to_owned(), |score| score.to_string());
        let name = format!("{:<NAME$}", cut(&student.name, NAME - 1));
        let cells: String = cells.collect();
        lines.push(format!("{name}{cells} {mastery:>3}  {streak:>2} of {longest}"));
    }
    let legend = [(95, "mastered"), (80, "proficient"), (50, "learning"), (10, "beginner")];
    let legend = legend.map(|(score, level)| format!("{} {level}", style.cell(Some(score), 2)));
    let none = format!("{} nothing yet", style.cell(None, 2));
    lines.push(format!("\n{:NAME$}{}  {none}", "", legend.join("  ")));
    lines.join("\n")
}

/// The open alerts, the most urgent first.
pub(super) fn alerts(open: &[ClassAlert], style: Style) -> String {
    let mut open: Vec<&ClassAlert> = open.iter().collect();
    open.sort_by_key(|alert| std::cmp::Reverse((alert.severity, alert.opened_at)));
    let title = counted(open.len(), "open alert", "open alerts");
    let mut lines = vec![format!("\n{}", style.bold(&title))];
    for alert in open.iter().take(ALERTS) {
        let severity = format!("{:<7}", alert.severity.as_str());
        let severity = match alert.severity {
            Severity::High => style.paint("31", &severity),
            Severity::Medium => style.paint("33", &severity),
            Severity::Low => severity,
        };
        let about = alert.topic.as_deref().unwrap_or("-");
        let what = match alert.trigger {
            Trigger::SaysSo => "Says: I am stuck.",
            _ => &alert.summary,
        };
        let name = format!("{:<NAME$}", cut(&alert.student_name, NAME - 1));
        let about = format!("{:<15}", cut(about, 14));
        let room = WIDTH - 7 - NAME - 15;
        lines.push(format!("{severity}{name}{about}{}", cut(what, room)));
    }
    if open.len() > ALERTS {
        lines.push(format!("… and {} more", open.len() - ALERTS));
    }
    lines.join("\n")
}

/// What the last day comes to.
pub(super) fn digest(digest: &Notification, style: Style) -> String {
    let title = format!("Digest of {}: {}", digest.created_at.date_naive(), digest.title);
    let lines = digest.text.lines().map(|line| cut(line, WIDTH));
    let lines: Vec<String> = std::iter::once(style.bold(&title)).chain(lines).collect();
    format!("\n{}", lines.join("\n"))
}

/// Where to look.
pub(super) fn next_steps(doors: &Doors, played: &Played, data: &Path) -> String {
    let Doors { gateway, websocket } = doors;
    let teacher = &played.teacher;
    let login = |email: &str, password: &str| {
        format!(
            "TOKEN=$(curl -s {gateway}/api/v1/auth/login -H 'Content-Type: application/json' \\\n    \
             -d '{{\"email\": \"{email}\", \"password\": \"{password}\"}}' \\\n    \
             | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])')"
        )
    };
    let mut text = format!("\nThe teacher    {:<24} {}\n", teacher.email, teacher.password);
    for student in played.students.iter().take(2) {
        text += &format!("A student      {:<24} {}\n", student.email, student.password);
    }
    text += &format!(
        "The API        {gateway}/docs\nAlerts come    {}/ws/alerts\n\nIn another terminal:\n  {}\n",
        websocket.replacen("http", "ws", 1),
        login(&teacher.email, teacher.password),
    );
    for path in [format!("classes/{}/overview", played.class_id), "alerts?status=open".to_owned()] {
        text +=
            &format!("  curl -s '{gateway}/api/v1/{path}' -H \"Authorization: Bearer $TOKEN\"\n");
    }
    text + &format!("\nCtrl-C stops it. To come back: cargo run -- dev --data {}", data.display())
}

/// The beginning of a text, as far as there is room.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use api_gateway::responses::HeatMap;
    use serde_json::json;

    use super::{Row, Standing, Style, WIDTH, bar, cut, heat_map};

    const PLAIN: Style = Style { has_colours: false };

    fn map(topics: usize) -> HeatMap {
        let topic = |number: usize| {
            json!({ "slug": format!("t{number}"), "title": "T",
                    "module": if number < 2 { "basics" } else { "control-flow" } })
        };
        let mut ada: Vec<Option<u8>> = (0..topics)
            .map(|number| [Some(95), Some(80), Some(50), Some(10)][number % 4])
            .collect();
        ada.push(None);
        let all: Vec<_> = (0..=topics).map(topic).collect();
        serde_json::from_value(json!({ "topics": all, "students": [
            { "id": uuid::Uuid::nil(), "name": "Ada", "mastery": 59, "scores": ada },
            { "id": uuid::Uuid::nil(), "name": "Bartholomew", "mastery": null, "scores": vec![None::<u8>; topics + 1] },
        ] }))
        .unwrap()
    }

    #[test]
    fn a_heat_map_has_the_topics_with_scores_by_module() {
        let map = map(4);
        let rows: Vec<Row<'_>> =
            map.students.iter().map(|student| Row { student, streak: 3, longest: 12 }).collect();
        let shown = heat_map(&map, &rows, PLAIN);
        let lines: Vec<&str> = shown.lines().take(3).collect();
        assert_eq!(
            lines,
            [
                "          bas… con…  all  streak",
                "Ada       ██▓▓ ▒▒░░   59   3 of 12",
                "Bartholo… ···· ····    –   3 of 12",
            ]
        );
        assert!(heat_map(&map, &rows, Style { has_colours: true }).contains("\x1b[44m  \x1b[0m"));
    }

    #[test]
    fn everything_fits_into_a_terminal() {
        for topics in [1, 4, 20, 31] {
            let map = map(topics);
            let rows: Vec<Row<'_>> = map
                .students
                .iter()
                .map(|student| Row { student, streak: 28, longest: 28 })
                .collect();
            let shown = heat_map(&map, &rows, PLAIN);
            let longest = shown.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(WIDTH), "{topics} topics: {longest:?}\n{shown}");
        }
        for done in [0, 500, 1_000] {
            let line = bar(Standing { day: 28, done, of: 1_000, news: 1_000 }, 28);
            assert!(line.chars().count() < WIDTH, "{line}");
        }
        assert_eq!((cut("abc", 3), cut("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
    }
}
