//! `table.sort`: quicksort, which finds out where PUC's does that an order contradicts itself. The list is read, sorted and
//! written back; a comparison that looks at the list meanwhile sees it unsorted.

use super::Answer;
use super::table::length;
use crate::error::LuaError;
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) fn sort(call: &mut Call<'_>) -> Answer {
    let list = call.arg_or_nil(0);
    if !matches!(list, Value::Table(_)) {
        return Err(call.bad_type(0, "table"));
    }
    let count = length(call, list)?;
    if count < 2 {
        return Ok(Returns::None);
    }
    if count >= i64::from(i32::MAX) {
        return Err(call.bad(0, "array too big"));
    }
    let function = if call.arg_or_nil(1).is_nil() { None } else { Some(call.function_arg(1)?) };
    let room = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(2 * size_of::<Value>());
    call.memory(room)?;
    let mut values = Vec::new();
    for at in 1..=count {
        let value = call.index(list, Value::Int(at))?;
        call.fuel(1)?;
        call.keep(value);
        values.push(value);
    }
    Sorter { call, function, values: &mut values }.sort()?;
    for (at, value) in (1..).zip(values) {
        call.set_index(list, Value::Int(at), value)?;
    }
    Ok(Returns::None)
}

struct Sorter<'a, 'c> {
    call: &'a mut Call<'c>,
    function: Option<Value>,
    values: &'a mut [Value],
}

impl Sorter<'_, '_> {
    fn at(&self, place: usize) -> Value {
        self.values.get(place).copied().unwrap_or(Value::Nil)
    }

    fn is_less(&mut self, a: Value, b: Value) -> Result<bool, LuaError> {
        self.call.fuel(2)?;
        match self.function {
            Some(function) => {
                let values = self.call.call(function, &[a, b])?;
                Ok(values.first().is_some_and(|value| value.is_true()))
            }
            None => self.call.vm.is_less(a, b),
        }
    }

    /// Swaps two values if the second is less than the first.
    fn order(&mut self, first: usize, second: usize) -> Result<(), LuaError> {
        if self.is_less(self.at(second), self.at(first))? {
            self.values.swap(first, second);
        }
        Ok(())
    }

    /// Parts still to be sorted stand on a list; of two, the smaller is sorted first, so it stays short.
    fn sort(mut self) -> Result<(), LuaError> {
        let mut parts = vec![(0, self.values.len() - 1)];
        while let Some((low, high)) = parts.pop() {
            if low >= high {
                continue;
            }
            self.order(low, high)?;
            if high - low == 1 {
                continue;
            }
            let middle = low.midpoint(high);
            if self.is_less(self.at(middle), self.at(low))? {
                self.values.swap(middle, low);
            } else {
                self.order(middle, high)?;
            }
            if high - low == 2 {
                continue;
            }
            let pivot = self.at(middle);
            self.values.swap(middle, high - 1);
            let split = self.partition(low, high, pivot)?;
            let (left, right) = ((low, split.saturating_sub(1)), (split + 1, high));
            if split - low < high - split {
                parts.extend([right, left]);
            } else {
                parts.extend([left, right]);
            }
        }
        Ok(())
    }

    /// What is less than the pivot comes before it; answers where it stands then.
    fn partition(&mut self, low: usize, high: usize, pivot: Value) -> Result<usize, LuaError> {
        let (mut up, mut down) = (low, high - 1);
        loop {
            up += 1;
            while self.is_less(self.at(up), pivot)? {
                if up == high - 1 {
                    return Err(self.call.error("invalid order function for sorting"));
                }
                up += 1;
            }
            down -= 1;
            while self.is_less(pivot, self.at(down))? {
                if down < up {
                    return Err(self.call.error("invalid order function for sorting"));
                }
                down = down.saturating_sub(1);
            }
            if down < up {
                self.values.swap(high - 1, up);
                return Ok(up);
            }
            self.values.swap(up, down);
        }
    }
}
