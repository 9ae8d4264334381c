//! Growth of memory and tables, bounded.

use wasmi::ResourceLimiter;
use wasmi::errors::{MemoryError, TableError};
use wasmi_core::LimiterError;

/// Most elements of a table. aos has some hundred.
pub(crate) const MAX_TABLE: usize = 1 << 20;

/// Allows growth up to the limits, and remembers what it refused.
pub(crate) struct Limiter {
    memory_bytes: u64,
    /// Whether a growth was refused since [`Limiter::begin`].
    pub(crate) refused: bool,
    /// Whether a growth within the limits failed: this machine is out of memory.
    pub(crate) host_exhausted: bool,
    /// Whether the growth now under way was allowed.
    allowed: bool,
}

impl Limiter {
    /// A limiter for one instance.
    pub(crate) fn new(memory_bytes: u64) -> Self {
        Self { memory_bytes, refused: false, host_exhausted: false, allowed: false }
    }

    /// Forgets what happened before this message.
    pub(crate) fn begin(&mut self) {
        self.refused = false;
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let within_limit = u64::try_from(desired).is_ok_and(|desired| desired <= self.memory_bytes);
        let within_maximum = maximum.is_none_or(|maximum| desired <= maximum);
        // The module's own maximum is its own business; only the node's limit is reported as one.
        self.refused |= within_maximum && !within_limit;
        self.allowed = within_limit && within_maximum;
        Ok(self.allowed)
    }

    fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
        self.host_exhausted |= self.allowed && matches!(error, MemoryError::OutOfSystemMemory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        Ok(desired <= MAX_TABLE && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn table_grow_failed(&mut self, _error: &TableError) -> Result<(), LimiterError> {
        Ok(())
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        1
    }
}
