//! Makes the steps of a trace from the recording that the guest writes; `steps.py` documents its format.
//!
//! A program can make the guest write anything, so all limits are checked here, and a malformed recording gives no
//! trace.

use std::{
    collections::{BTreeMap, HashMap},
    io,
};

use domain::trace::{Trace, TraceEvent, TraceFrame, TraceObject, TraceStep, TraceValue};
use serde::{Deserialize, Deserializer, Serialize};

/// Most steps of a trace: as many as Python Tutor's.
pub(crate) const STEPS: u32 = 1_000;
/// Most bytes of all steps as JSON: what a web page can show.
const MAX_BYTES: usize = 1_000_000;
/// Most frames of a step, as in the guest.
const MAX_FRAMES: usize = 32;
/// Most objects of a step: 100, and as many of which only the class is shown.
const MAX_OBJECTS: usize = 200;
/// Most variables of a frame, as in the guest.
const MAX_NAMES: usize = 100;
/// Most items, entries or attributes of an object, as in the guest.
const MAX_ITEMS: usize = 50;
/// Most bytes of a value's text: 200 characters and a mark, each with as many bytes as `\ud800`.
const MAX_TEXT: usize = 6 * 201;

/// A step without its variables. A field that is `None` has not changed since the step before.
#[derive(Deserialize)]
struct Step {
    event: TraceEvent,
    line: u32,
    written: u64,
    /// The numbers and lines of the frames around the innermost, outermost first.
    outer: Option<Vec<(u32, u32)>>,
    /// The number of the innermost frame.
    frame: Option<u32>,
    /// The numbers of the objects.
    heap: Option<Vec<u64>>,
    #[serde(default, deserialize_with = "present")]
    value: Option<TraceValue>,
    exception: Option<String>,
}

/// A function can return `None`, which differs from not returning.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TraceValue>, D::Error> {
    TraceValue::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Frame {
    function: String,
    locals: BTreeMap<String, TraceValue>,
}

/// A part of a step, and its size as JSON.
struct Measured<T> {
    content: T,
    bytes: usize,
}

/// The state of frames and objects after the lines read so far, and the steps made from them.
#[derive(Default)]
struct Reader {
    frames: HashMap<u32, Measured<Frame>>,
    objects: HashMap<u64, Measured<TraceObject>>,
    outer: Vec<(u32, u32)>,
    innermost: u32,
    heap: Vec<u64>,
    steps: Vec<TraceStep>,
    bytes: usize,
}

/// The trace, if this is a recording.
pub(crate) fn trace(recording: &str) -> Option<Trace> {
    let mut reader = Reader::default();
    let mut truncated = false;
    for line in recording.lines() {
        let (kind, rest) = line.split_at_checked(1)?;
        match kind {
            "S" => truncated = !reader.step(serde_json::from_str(rest).ok()?)?,
            "T" => truncated = true,
            _ => {
                let (number, json) = rest.split_once(' ')?;
                match kind {
                    "F" => reader.frame(number.parse().ok()?, serde_json::from_str(json).ok()?)?,
                    "V" => {
                        reader.variables(number.parse().ok()?, serde_json::from_str(json).ok()?)?;
                    }
                    "O" => reader.object(number.parse().ok()?, serde_json::from_str(json).ok()?)?,
                    _ => return None,
                }
            }
        }
        if truncated {
            break;
        }
    }
    Some(Trace { steps: reader.steps, truncated })
}

impl Reader {
    fn frame(&mut self, number: u32, frame: Frame) -> Option<()> {
        let Frame { function, locals } = frame;
        let bytes = json_bytes(&function);
        let content = Frame { function, locals: BTreeMap::new() };
        self.frames.insert(number, Measured { content, bytes });
        self.variables(number, locals)
    }

    fn variables(&mut self, number: u32, changed: BTreeMap<String, TraceValue>) -> Option<()> {
        let Measured { content: Frame { locals, .. }, bytes } = self.frames.get_mut(&number)?;
        for (name, value) in changed {
            if !is_short(&value) {
                return None;
            }
            let of_name = json_bytes(&name) + ":".len();
            *bytes += of_name + json_bytes(&value);
            if let Some(old) = locals.insert(name, value) {
                *bytes -= of_name + json_bytes(&old);
            }
        }
        (locals.len() <= MAX_NAMES).then_some(())
    }

    fn object(&mut self, number: u64, object: TraceObject) -> Option<()> {
        let items = object.items.iter().flatten();
        let entries = object.entries.iter().flatten().flatten();
        let attributes = object.attributes.iter().flat_map(BTreeMap::values);
        let is_small = object.items.as_ref().is_none_or(|items| items.len() <= MAX_ITEMS)
            && object.entries.as_ref().is_none_or(|entries| entries.len() <= MAX_ITEMS)
            && object.attributes.as_ref().is_none_or(|attributes| attributes.len() <= MAX_ITEMS)
            && items.chain(entries).chain(attributes).all(is_short);
        let bytes = json_bytes(&object);
        self.objects.insert(number, Measured { content: object, bytes });
        is_small.then_some(())
    }

    /// Adds a step if there is room for it, and returns whether there was.
    fn step(&mut self, step: Step) -> Option<bool> {
        self.outer = step.outer.unwrap_or_else(|| std::mem::take(&mut self.outer));
        self.innermost = step.frame.unwrap_or(self.innermost);
        self.heap = step.heap.unwrap_or_else(|| std::mem::take(&mut self.heap));
        let frames: Vec<(&Measured<Frame>, u32)> = self
            .outer
            .iter()
            .chain([&(self.innermost, step.line)])
            .map(|(number, line)| Some((self.frames.get(number)?, *line)))
            .take(MAX_FRAMES + 1)
            .collect::<Option<_>>()?;
        let heap: BTreeMap<u64, &Measured<TraceObject>> = self
            .heap
            .iter()
            .map(|number| Some((*number, self.objects.get(number)?)))
            .take(MAX_OBJECTS + 1)
            .collect::<Option<_>>()?;
        if frames.len() > MAX_FRAMES || heap.len() > MAX_OBJECTS {
            return None;
        }
        let function = &self.frames.get(&self.innermost)?.content.function;
        self.bytes += r#"{"event":"","line":,"function":,"written":,"frames":[],"heap":{}}"#.len()
            + step.event.as_str().len()
            + json_bytes(&step.line)
            + json_bytes(function)
            + json_bytes(&step.written)
            + step.value.as_ref().map_or(0, |value| r#""value":,"#.len() + json_bytes(value))
            + step.exception.as_ref().map_or(0, |it| r#""exception":,"#.len() + json_bytes(it))
            + commas(frames.len())
            + commas(heap.len());
        for (frame, line) in &frames {
            let other = r#"{"function":,"line":,"locals":{}}"#.len() + json_bytes(line);
            self.bytes += other + frame.bytes + commas(frame.content.locals.len());
        }
        for (number, object) in &heap {
            self.bytes += r#""":"#.len() + json_bytes(number) + object.bytes;
        }
        if self.bytes > MAX_BYTES || self.steps.len() >= STEPS as usize {
            return Some(false);
        }
        let frame = |(frame, line): (&Measured<Frame>, u32)| TraceFrame {
            function: frame.content.function.clone(),
            line,
            locals: frame.content.locals.clone(),
        };
        self.steps.push(TraceStep {
            event: step.event,
            line: step.line,
            function: function.clone(),
            written: step.written,
            frames: frames.into_iter().map(frame).collect(),
            value: step.value,
            exception: step.exception,
            heap: heap.iter().map(|(n, object)| (n.to_string(), object.content.clone())).collect(),
        });
        Some(true)
    }
}

fn is_short(value: &TraceValue) -> bool {
    match value {
        TraceValue::String(text) | TraceValue::Text { text } => text.len() <= MAX_TEXT,
        _ => true,
    }
}

/// The commas between `count` elements.
const fn commas(count: usize) -> usize {
    count.saturating_sub(1)
}

/// The size of a value as JSON, in bytes.
fn json_bytes(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Nothing in a trace fails to serialise; counting it as too much refuses it.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX >> 8, |()| count.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_BYTES, trace};

    const FRAME: &str = "F0 {\"function\":\"f\",\"locals\":{\"a\":1,\"b\":{\"ref\":1}}}\n";
    const LIST: &str = "O1 {\"type\":\"list\",\"kind\":\"list\",\"length\":1,\"items\":[7]}\n";
    const STEP: &str =
        "S{\"event\":\"line\",\"line\":2,\"written\":0,\"frame\":0,\"outer\":[],\"heap\":[1]}\n";
    const AGAIN: &str = "S{\"event\":\"line\",\"line\":3,\"written\":4}\n";

    #[test]
    fn a_step_repeats_the_one_before_except_for_recorded_changes() {
        let more = "V0 {\"a\":\"é\",\"c\":null}\nF1 {\"function\":\"g\",\"locals\":{}}\nO1 {\"type\":\"list\",\"kind\":\"list\",\"length\":0,\"items\":[]}\nS{\"event\":\"return\",\"line\":9,\"written\":4,\"frame\":1,\"outer\":[[0,3]],\"value\":null}\n";
        let trace = trace(&[FRAME, LIST, STEP, AGAIN, more, "T\n"].concat()).unwrap();
        let list = json!({ "type": "list", "kind": "list", "length": 1, "items": [7] });
        let mut steps = serde_json::to_value(&trace.steps).unwrap();
        assert_eq!((steps[0]["line"].take(), steps[0]["written"].take()), (json!(2), json!(0)));
        assert_eq!((steps[1]["line"].take(), steps[1]["written"].take()), (json!(3), json!(4)));
        let frame = |line| json!({ "function": "f", "line": line, "locals": { "a": 1, "b": { "ref": 1 } } });
        assert_eq!(steps[0]["frames"].take(), json!([frame(2)]));
        assert_eq!(steps[1]["frames"].take(), json!([frame(3)]));
        assert_eq!(steps[0], steps[1]);
        assert_eq!(steps[0]["heap"], json!({ "1": list }));
        let last = json!({
            "event": "return", "line": 9, "function": "g", "written": 4, "value": null,
            "frames": [
                { "function": "f", "line": 3, "locals": { "a": "é", "b": { "ref": 1 }, "c": null } },
                { "function": "g", "line": 9, "locals": {} },
            ],
            "heap": { "1": { "type": "list", "kind": "list", "length": 0, "items": [] } },
        });
        assert_eq!(steps[2], last);
        assert!(trace.truncated);
    }

    #[test]
    fn the_bytes_of_all_steps_are_counted_as_they_are_sent() {
        let value = "V0 {\"a\":\"\\u0001é\\\"\",\"d\":{\"text\":\"1j\"}}\n";
        let raised = "S{\"event\":\"exception\",\"line\":3,\"written\":4,\"exception\":\"E\"}\n";
        let start = [FRAME, LIST, STEP, value, AGAIN, raised].concat();
        let of = |recording: &str| {
            let steps = trace(recording).unwrap().steps;
            steps.iter().map(|step| serde_json::to_string(step).unwrap().len()).sum::<usize>()
        };
        // One of these fills what is left to the last byte.
        for padding in 0..of(&[FRAME, LIST, STEP].concat()) {
            let filled =
                format!("{start}V0 {{\"{}\":1}}\n{}", "n".repeat(padding), AGAIN.repeat(999));
            let bytes =
                of(&format!("{start}V0 {{\"{}\":1}}\n{AGAIN}", "n".repeat(padding))) - of(&start);
            let wanted = (MAX_BYTES - of(&start)) / bytes;
            assert_eq!(trace(&filled).unwrap().steps.len(), 3 + wanted.min(997), "{padding}");
        }
    }

    #[test]
    fn a_recording_that_grows_beyond_the_limits_is_cut() {
        let steps = trace(&[FRAME, LIST, STEP, &AGAIN.repeat(5_000)].concat()).unwrap();
        assert_eq!((steps.steps.len(), steps.truncated), (1_000, true));
        // A million bytes that a few bytes repeat.
        let long = format!("F0 {{\"function\":\"f{}\",\"locals\":{{}}}}\n", "x".repeat(200_000));
        let steps = trace(&[&long, LIST, STEP, &AGAIN.repeat(900)].concat()).unwrap();
        assert_eq!((steps.steps.len(), steps.truncated), (2, true));
    }

    #[test]
    fn a_malformed_recording_gives_no_trace() {
        let valid = [FRAME, LIST, STEP].concat();
        assert!(trace(&valid).is_some());
        let many = |count: usize| vec!["1"; count].join(",");
        let names: Vec<String> = (0..99).map(|i| format!("\"n{i}\":1")).collect();
        for other in [
            "{}".to_owned(),
            "é".to_owned(),
            "\n".to_owned(),
            "X1 {}\n".to_owned(),
            "V7 {\"a\":1}\n".to_owned(),
            "V0 {\"a\":[1]}\n".to_owned(),
            format!("V0 {{\"a\":\"{}\"}}\n", "x".repeat(2_000)),
            format!("V0 {{{}}}\n", names.join(",")),
            format!("O1 {{\"type\":\"list\",\"kind\":\"list\",\"items\":[{}]}}\n", many(51)),
            "S{\"event\":\"line\",\"line\":null,\"written\":0}\n".to_owned(),
            "S{\"event\":\"line\",\"line\":1,\"written\":0,\"frame\":9}\n".to_owned(),
            "S{\"event\":\"line\",\"line\":1,\"written\":0,\"heap\":[9]}\n".to_owned(),
            format!(
                "S{{\"event\":\"line\",\"line\":1,\"written\":0,\"outer\":[{}]}}\n",
                vec!["[0,1]"; 32].join(",")
            ),
            format!(
                "S{{\"event\":\"line\",\"line\":1,\"written\":0,\"heap\":{}}}\n",
                "[".repeat(200)
            ),
        ] {
            assert_eq!(trace(&format!("{valid}{other}")), None, "{other:.100}");
        }
        assert_eq!(trace(AGAIN), None, "nothing was shown before");
    }
}
