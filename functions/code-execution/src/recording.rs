//! Makes the steps of a trace from what the guest's `steps.py` writes, which explains the notation.
//!
//! A program can make the guest write anything. So a step is made only while all steps are within the limits, and a
//! recording of another form makes no trace.

use std::{
    collections::{BTreeMap, HashMap},
    io,
};

use domain::trace::{Trace, TraceEvent, TraceFrame, TraceObject, TraceStep, TraceValue};
use serde::{Deserialize, Deserializer, Serialize};

use crate::execute::TRACE_STEPS;

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

/// What a step is like but for its variables. `None`: as in the step before.
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

/// Something of a step, and how many bytes of JSON it has.
struct Measured<T> {
    content: T,
    bytes: usize,
}

/// What has been read of a recording.
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
        if self.bytes > MAX_BYTES || self.steps.len() >= TRACE_STEPS as usize {
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

/// How many commas are between so many things.
const fn commas(count: usize) -> usize {
    count.saturating_sub(1)
}

/// How many bytes it has as JSON.
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
