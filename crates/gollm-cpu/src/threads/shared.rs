//! A slice that several threads write, each its own part.

use std::marker::PhantomData;

/// A mutable slice handed to every thread of a region.
///
/// Rust cannot see that the threads of a region write different elements, so writing is `unsafe`:
/// each kernel says why they do.
#[derive(Debug)]
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// Not derived: a derive would ask for `T: Clone`.
impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: it is a `&mut [T]` whose elements are divided among threads; moving one to another thread
// is moving its `T`s there.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above; the methods that write ask that no two threads touch one element.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T: Copy> Shared<'a, T> {
    /// Borrows `slice` for as long as threads write to it.
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            lifetime: PhantomData,
        }
    }

    /// Writes one element.
    ///
    /// # Safety
    ///
    /// No other thread may touch this element until the region ends.
    #[inline(always)]
    pub(crate) unsafe fn write(self, index: usize, value: T) {
        assert!(index < self.len);
        // SAFETY: inside the slice; the caller promises that the element is this thread's.
        unsafe { self.start.add(index).write(value) }
    }

    /// Writes several elements.
    ///
    /// # Safety
    ///
    /// No other thread may touch these elements until the region ends.
    #[inline(always)]
    pub(crate) unsafe fn write_slice(self, start: usize, values: &[T]) {
        // SAFETY: the caller's promise.
        unsafe { self.part(start, values.len()) }.copy_from_slice(values);
    }

    /// A part of the slice, for writing in place.
    ///
    /// # Safety
    ///
    /// Until the result is dropped no other thread may touch these elements, nor this thread
    /// through another handle.
    #[inline(always)]
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &'a mut [T] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: inside the slice; the caller promises that nobody else uses this part.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}
