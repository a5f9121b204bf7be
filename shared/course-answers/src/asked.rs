//! A question in words that the course understands.

use meaning::Subject;

/// A student's own words, in English as far as they can be put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is asked, without pasted code and error reports.
    pub prose: String,
    has_code: bool,
}

impl Asked {
    /// Reads a question; `has_code` says whether code came with it in a field of its own.
    #[must_use]
    pub fn of(question: &str, has_code: bool) -> Self {
        let paste = pasted_text::split(question);
        let has_code = has_code || !paste.code.is_empty();
        // What looks like code and nothing else is the question: `a += 1`.
        let prose = match paste.prose.trim() {
            "" => question,
            prose => prose,
        };
        let foreign = meaning::recognise(prose);
        let prose = foreign.map_or_else(|| prose.to_owned(), |foreign| foreign.english);
        Self { prose, has_code }
    }

    /// What is known of it; `page` is the slug of the page that "this" means.
    #[must_use]
    pub fn subject<'a>(&'a self, page: Option<&'a str>) -> Subject<'a> {
        Subject { prose: &self.prose, has_code: self.has_code, page }
    }
}
