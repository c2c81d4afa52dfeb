//! Whatever comes from outside: nothing panics, and two ways to the same answer give the same answer.

mod conditions;
mod convert;
mod engine;
mod input;
mod json;
mod query;
mod rules;
