//! CPython's messages, known by their own words: also without the exception's class, and without the quotes that
//! students leave out.

use std::sync::LazyLock;

use regex::Regex;

use crate::patterns::pattern;

/// A message: its class, its words, and how Python writes it. In the words `'` stands for any quote or none, `@` for any quote, `{t}` for
/// a type, `{n}` for a name, `{#}` for a number, and a space for any number of spaces. An empty form means that
/// Python writes what was pasted.
struct Form {
    class: &'static str,
    words: &'static str,
    written: &'static str,
}

macro_rules! forms {
    ($($class:ident { $($words:literal => $written:literal),+ $(,)? })+) => {
        [$($(Form { class: stringify!($class), words: $words, written: $written }),+),+]
    };
}

static FORMS: &[Form] = &forms! {
    TypeError {
        "'{t}' object is not (callable|iterable|subscriptable|an iterator|reversible)" => "'$1' object is not $2",
        "'{t}' object does not support item (assignment|deletion)" => "'$1' object does not support item $2",
        r"unsupported operand type ?\(?s?\)? for ([^\s:]+(?: or pow\(\))?): '{t}' and '{t}'" => "unsupported operand type(s) for $1: '$2' and '$3'",
        r"can only concatenate (str|list|tuple) \(not '{t}'\) to (str|list|tuple)" => "can only concatenate $1 (not \"$2\") to $3",
        "must be str, not {t}" => "",
        "(?:list|tuple|string) indices must be integers(?: or slices)?,? not '{t}'" => "",
        r"'[\w.]+\(\)' missing {#} required (?:positional|keyword-only) arguments?(?:: '\w+'(?:, @\w+@)*(?:,? and @\w+@)?)?" => "",
        r"[\w.]+\(\) takes (?:from )?(?:{#}|no|exactly one)(?: to {#})?(?: positional)? arguments? (?:but (?:{#}|one) (?:was|were) given|\({#} given\))" => "",
        r"[\w.]+\(\) got an unexpected keyword argument '\w+'(?:\. Did you mean '\w+'\?)?" => "",
        r"[\w.]+\(\) got multiple values for argument '\w+'" => "",
        r"object of type '{t}' has no len\(\)" => "object of type '$1' has no len()",
        r"unhashable type: '{t}'" => "unhashable type: '$1'",
        r"(?:int|float)\(\) argument must be a string[\w ,-]*, not '{t}'" => "",
        "'([<>]=?)' not supported between instances of '{t}' and '{t}'" => "'$1' not supported between instances of '$2' and '$3'",
        "not all arguments converted during string formatting" => "",
        r"cannot unpack non-iterable {t} object" => "",
        "argument of type '{t}' is not (iterable|a container or iterable)" => "argument of type '$1' is not $2",
        "'{t}' object cannot be interpreted as an integer" => "'$1' object cannot be interpreted as an integer",
        r"sequence item {#}: expected str instance, {t} found" => "",
        r"bad operand type for unary (\S+): '{t}'" => "bad operand type for unary $1: '$2'",
        "can't multiply sequence by non-int of type '{t}'" => "can't multiply sequence by non-int of type '$1'",
    }
    ValueError {
        r#"invalid literal for int ?\(\)(?: with base {#}(?:: ?('[^'\n]*'|"[^"\n]*"))?)?"# => "",
        r"could not convert string to float(?:: ?'[^'\n]*')?" => "",
        r"not enough values to unpack(?: \(expected(?: at least)? {#}, got {#}\))?" => "",
        r"too many values to unpack(?: \(expected {#}(?:, got {#})?\))?" => "",
        r"list\.remove\(x\): x not in list" => "",
        r"\S+ is not in list" => "",
        r"int\(\) base must be >= 2 and <= 36(?:, or 0)?" => "",
        "substring not found" => "",
        "math domain error" => "",
        r"(?:max|min)\(\) (?:arg is an empty sequence|iterable argument is empty)" => "",
        r"empty range (?:for|in) \w+\(\)(?: \([^)\n]*\))?" => "",
        "I/O operation on closed file" => "",
        "empty separator" => "",
    }
    IndexError {
        "(?:list|string|tuple|range object|bytearray) index out of range" => "",
        "list assignment index out of range" => "",
        "pop from (?:an )?empty list" => "",
        "pop index out of range" => "",
        "(?:index|list index) is? ?out of range" => "",
    }
    UnboundLocalError {
        "local variable '{n}' referenced before assignment" => "local variable '$1' referenced before assignment",
        "cannot access local variable '{n}' where it is not associated with a value" => "cannot access local variable '$1' where it is not associated with a value",
    }
    NameError {
        "cannot access free variable '{n}' where it is not associated with a value in enclosing scope" => "",
        r"name '{n}' is not defined(?:\. Did you (?:mean: |forget to import )'[\w.]+'\?(?: Or did you forget to import '[\w.]+'\?)?)?" => "name '$1' is not defined",
    }
    AttributeError {
        r"module '([\w.]+)' has no attribute '{n}'(?:\. Did you mean: '\w+'\?)?" => "module '$1' has no attribute '$2'",
        r"type object '{n}' has no attribute '{n}'(?:\. Did you mean: '\w+'\?)?" => "type object '$1' has no attribute '$2'",
        r"'{t}' object has no attribute '{n}'(?:\. Did you mean: '\.?\w+'\?)?" => "'$1' object has no attribute '$2'",
        r"'{t}' object attribute '{n}' is read-only" => "'$1' object attribute '$2' is read-only",
    }
    ZeroDivisionError {
        "integer (?:division or )?modulo by zero" => "",
        "float (?:division|floor division|modulo)(?: by zero)?" => "",
        "division by zero" => "",
    }
    ModuleNotFoundError {
        r"No module named '([\w.]+)'(?:; '[\w.]+' is not a package)?" => "No module named '$1'",
    }
    ImportError {
        r"cannot import name '{n}'(?: from (?:partially initialized module )?'[\w.]+')?(?: \([^)\n]*\))?" => "",
    }
    RecursionError {
        "maximum recursion depth exceeded(?: while [a-z ]+Python object| in comparison)?" => "",
    }
    EOFError {
        "EOF when reading a line" => "",
    }
    FileNotFoundError {
        r"\[Errno 2\] No such file or directory(?:: ?'[^'\n]*')?" => "",
    }
    PermissionError {
        r"\[Errno 13\] Permission denied(?:: ?'[^'\n]*')?" => "",
    }
    RuntimeError {
        "(?:dictionary|Set) changed size during iteration" => "",
    }
    OverflowError {
        "int too large to convert to float" => "",
        "math range error" => "",
    }
    JSONDecodeError {
        r"Expecting value: line {#} column {#} \(char {#}\)" => "",
    }
    UnicodeDecodeError {
        r"'[\w-]+' codec can't decode bytes? [^\n:]+: [\w <>]+" => "",
    }
    IndentationError {
        r"unexpected indent(?: \([^)\n]*\))?" => "",
        "unindent does not match any outer indentation level" => "",
        r"expected an indented block(?: after (?:'[\w .]+' statement|[\w ]+) on line {#})?" => "",
    }
    TabError {
        "inconsistent use of tabs and spaces in indentation" => "",
    }
    SyntaxError {
        r"invalid syntax(?:\. (?:Perhaps you forgot a comma\?|Maybe you meant '==' or ':=' instead of '='\?)| \([^)\n]*\))?" => "",
        "unexpected EOF while parsing" => "",
        "EOL while scanning string literal" => "",
        "EOF while scanning triple-quoted string literal" => "",
        r"unterminated (?:triple-quoted )?(?:f-)?string literal(?: \(detected at line {#}\))?" => "",
        r"Missing parentheses in call to '\w+'(?:\. Did you mean \w+\([^)\n]*\)\?)?" => "",
        r"expected ':'" => "",
        r"'(?:return|yield|await)' outside (?:async )?function" => "",
        r"'(?:break|continue)' (?:outside|not properly in) loop" => "",
        r"'[(\[{]' was never closed" => "",
        r"unmatched '[)\]}]'" => "",
        r"closing parenthesis '[)\]}]' does not match opening parenthesis '[(\[{]'(?: on line {#})?" => "",
        r"cannot assign to (?:literal|function call|expression|operator|comparison|conditional expression|attribute|subscript|True|False|None|__debug__|(?:list|dict|set) comprehension|generator expression|(?:dict|set) (?:display|literal)|lambda|f-string expression|named expression|assignment expression|yield expression|await expression|ellipsis|keyword)(?: here)?(?:\. Maybe you meant '==' instead of '='\?)?" => "",
        r"cannot delete (?:literal|function call|expression|operator|comparison|conditional expression|attribute|subscript|True|False|None|__debug__|(?:list|dict|set) comprehension|generator expression|(?:dict|set) (?:display|literal)|lambda|f-string expression|named expression|assignment expression|yield expression|await expression|ellipsis|keyword)" => "",
        "can't assign to (?:literal|function call|operator|keyword)" => "",
        "positional argument follows keyword argument(?: unpacking)?" => "",
        r"invalid (?:non-printable )?character (?:'[^'\n]*' \()?U\+[0-9A-F]+\)?" => "",
        "invalid (?:decimal|hexadecimal|binary|octal) literal" => "",
        "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers" => "",
        "unexpected character after line continuation character" => "",
        r"f-string: (?:expecting '.'|single '.' is not allowed|empty expression not allowed|invalid syntax(?:\. Perhaps you forgot a comma\?)?|unterminated string|unmatched '.'|expression cannot include (?:a backslash|'#')|valid expression required before '.')" => "",
        "cannot use starred expression here" => "",
        r"cannot use (?:assignment expressions|named assignment) with \w+" => "",
        "expected 'except' or 'finally' block" => "",
        "name '{n}' is (?:assigned to before|used prior to|parameter and) global(?: declaration)?" => "",
    }
};
/// Messages that are a topic's name as well: alone they are no report.
const EVERYDAY: [&str; 6] = [
    "division by zero",
    "float division",
    "invalid syntax",
    "maximum recursion depth exceeded",
    "cannot assign to",
    "f-string:",
];
/// Types that a message without its quotes can be about: else "my object is not iterable" would be about a type `my`.
const TYPES: [&str; 20] = [
    "list",
    "tuple",
    "dict",
    "set",
    "str",
    "int",
    "float",
    "bool",
    "nonetype",
    "function",
    "method",
    "builtin_function_or_method",
    "type",
    "range",
    "module",
    "generator",
    "bytes",
    "map",
    "zip",
    "string",
];

struct Known {
    class: &'static str,
    pattern: Regex,
    written: &'static str,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known = FORMS.iter().map(|form| Known {
        class: form.class,
        pattern: compile(form.words),
        written: form.written,
    });
    known.collect()
});

fn compile(words: &str) -> Regex {
    const QUOTE: &str = "['\"`‘’“”]";
    // Values in quotes keep them.
    let words = words.replace("('[^'\\n]*'|\"[^\"\\n]*\")", "\u{1}").replace("'[^'\\n]*'", "\u{2}");
    let words = words
        .replace("can't", "can\u{3}t")
        .replace(" '", "\u{4}")
        .replace('\'', &format!("{QUOTE}?"))
        .replace('@', QUOTE);
    let words = words.replace(" ?", "\u{5}");
    let words = words.replace('\u{4}', "(?:[ \\t]+['\"`‘’“”]?|['\"`‘’“”])").replace(' ', "[ \\t]+");
    let words = words.replace("[[ \\t]+\\t]", "[ \\t]").replace('\u{5}', "[ \\t]*");
    let words =
        words.replace('\u{1}', "(?:'[^'\\n]*'|\"[^\"\\n]*\")").replace('\u{2}', "'[^'\\n]*'");
    let words = words.replace('\u{3}', "['’]?").replace("{#}", r"\d+");
    let words = words.replace("{t}", r"([\w.]+)").replace("{n}", r"(\w+)");
    // ASCII only: with all letters of Unicode, the patterns take ten times as long to compile.
    let words = words.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
    pattern(&format!("(?i){words}"))
}

/// How long the message at the beginning of a text is, if it is one of CPython's.
pub(crate) fn length(text: &str) -> Option<usize> {
    let lengths = KNOWN.iter().filter_map(|known| {
        let found = known.pattern.find(text)?;
        (found.start() == 0).then_some(found.end())
    });
    lengths.max()
}

/// A message of CPython without its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bare {
    pub(crate) class: &'static str,
    /// As Python writes it.
    pub(crate) message: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The first message of CPython in a text, if one is there without its class.
pub(crate) fn bare(text: &str) -> Option<Bare> {
    KNOWN.iter().find_map(|known| {
        let found = known.pattern.captures(text)?;
        let whole = found.get(0)?;
        let is_quoted = whole.as_str().starts_with(['\'', '"', '`', '‘', '“']);
        let is_typed = known.written.starts_with("'$1' object");
        let kind = found.get(1).map_or("", |kind| kind.as_str());
        let is_type = TYPES.contains(&kind.to_ascii_lowercase().as_str());
        let is_everyday =
            EVERYDAY.iter().any(|words| whole.as_str().to_ascii_lowercase().starts_with(words));
        let before = text[..whole.start()].chars().next_back();
        let is_part = before.is_some_and(char::is_alphanumeric);
        if is_everyday || is_part || (is_typed && !is_quoted && !is_type) {
            return None;
        }
        let mut message = String::new();
        if known.written.is_empty() {
            message.push_str(whole.as_str().trim_matches(['`', '“', '”']));
        } else {
            found.expand(known.written, &mut message);
            message = message
                .replace("'nonetype'", "'NoneType'")
                .replace("'string' object", "'str' object");
        }
        Some(Bare { class: known.class, message, start: whole.start(), end: whole.end() })
    })
}

#[cfg(test)]
mod tests {
    use super::{bare, length};

    #[test]
    fn messages_are_known_without_their_class_and_quotes() {
        for (text, class, message) in [
            ("it says list object is not callable", "TypeError", "'list' object is not callable"),
            (
                "I keep getting invalid literal for int() with base 10: '3.5' here",
                "ValueError",
                "invalid literal for int() with base 10: '3.5'",
            ),
            ("Why list index out of range?", "IndexError", "list index out of range"),
            (
                "nonetype object has no attribute append",
                "AttributeError",
                "'NoneType' object has no attribute 'append'",
            ),
            ("why is name total is not defined", "NameError", "name 'total' is not defined"),
            (
                "unsupported operand type(s) for +: 'int' and 'str'",
                "TypeError",
                "unsupported operand type(s) for +: 'int' and 'str'",
            ),
        ] {
            let found = bare(text).expect(text);
            assert_eq!((found.class, found.message.as_str()), (class, message));
        }
    }

    #[test]
    fn words_of_a_course_are_no_messages() {
        for text in [
            "how do I avoid division by zero",
            "my object is not iterable",
            "what is a list index",
            "my variable is not defined",
        ] {
            assert_eq!(bare(text), None, "{text}");
        }
    }

    #[test]
    fn a_message_ends_where_python_ends_it() {
        let ends = |text: &'static str| length(text).map(|end| &text[end..]);
        assert_eq!(
            ends("name 'x' is not defined. Did you mean: 'y'? please help"),
            Some(" please help")
        );
        assert_eq!(ends("list index out of range how do I fix it"), Some(" how do I fix it"));
        assert_eq!(ends("my own message"), None);
    }
}
