//! The indices of a part's items in the merged module.

use std::fmt;

use wasm_encoder::{
    Instruction,
    reencode::{self, Reencode},
};
use wasmparser::Operator;

/// What a global becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Constant(i32),
    Changing(u32),
}

/// Maps a part's indices to those of the merged module.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) types: Vec<u32>,
    pub(crate) functions: Vec<u32>,
    pub(crate) globals: Vec<Value>,
}

/// An item is used that has no index in the merged module.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) u32);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} is used, and nowhere", self.0)
    }
}

impl std::error::Error for Missing {}

pub(crate) type Reencoded<T> = Result<T, reencode::Error<Missing>>;

fn known<T: Copy>(items: &[T], index: u32) -> Reencoded<T> {
    items.get(index as usize).copied().ok_or(reencode::Error::UserError(Missing(index)))
}

impl Reencode for Numbers {
    type Error = Missing;

    fn type_index(&mut self, index: u32) -> Reencoded<u32> {
        known(&self.types, index)
    }

    fn function_index(&mut self, index: u32) -> Reencoded<u32> {
        known(&self.functions, index)
    }

    fn global_index(&mut self, index: u32) -> Reencoded<u32> {
        match known(&self.globals, index)? {
            Value::Changing(number) => Ok(number),
            Value::Constant(_) => Err(reencode::Error::UserError(Missing(index))),
        }
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Reencoded<Instruction<'a>> {
        if let Operator::GlobalGet { global_index } = operator
            && let Value::Constant(value) = known(&self.globals, global_index)?
        {
            return Ok(Instruction::I32Const(value));
        }
        reencode::utils::instruction(self, operator)
    }
}
