//! Operations are recorded one after the other and submitted when somebody waits for a result.
//!
//! A decode step is some hundred kernels of a few microseconds. Submitting each would take longer than
//! running it, so a whole step is one command buffer: the first read sends it.

use gollm_tensor::Result;
use wgpu::{BindGroupEntry, BindingResource, BufferBinding, CommandEncoder, ComputePass};

use crate::arguments::{Arguments, PARAMS_BYTES, Span};
use crate::gpu::Gpu;
use crate::grid::spread;
use crate::pipelines::Pipeline;

/// Multiply-adds before a command buffer is submitted early: a long prompt in one piece would keep a
/// small GPU busy for so long that its driver takes it for hung. A decode step stays below.
const MOST_WORK: u64 = 1 << 34;

/// One run of a kernel.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The kernel's `Params`, word by word.
    pub(crate) params: &'a [u32],
    /// What the kernel reads, and then writes, in the order of its bindings.
    pub(crate) buffers: &'a [Bound<'a>],
    pub(crate) n_groups: usize,
    /// Multiply-adds, roughly.
    pub(crate) work: u64,
}

/// What a kernel is given at a binding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound<'a> {
    Buffer(&'a wgpu::Buffer),
    /// Numbers from the host: ids, places. At least one.
    List(&'a [u32]),
}

/// What was recorded and not yet submitted.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Dropped before its encoder is finished: that ends the pass.
    pass: Option<ComputePass<'static>>,
    encoder: Option<CommandEncoder>,
    arguments: Arguments,
    work: u64,
    submissions: usize,
}

impl Recorder {
    pub(crate) fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Self {
            pass: None,
            encoder: None,
            arguments: Arguments::new(gpu)?,
            work: 0,
            submissions: 0,
        })
    }

    /// Records a kernel.
    pub(crate) fn launch(
        &mut self,
        gpu: &Gpu,
        pipeline: &Pipeline,
        launch: &Launch<'_>,
    ) -> Result<()> {
        if launch.n_groups == 0 {
            return Ok(());
        }
        let lists = launch.buffers.iter().map(|bound| match bound {
            Bound::Buffer(_) => 0,
            Bound::List(list) => list.len(),
        });
        let room = Arguments::room(launch.params.len(), lists);
        if self.work > MOST_WORK || !self.arguments.has_room(room) {
            self.submit(gpu, |_| ());
        }
        self.arguments.grow(gpu, room)?;
        let params = self.arguments.push(launch.params);
        let bound = launch.buffers.iter().map(|bound| match bound {
            Bound::Buffer(buffer) => Placed::Buffer(buffer),
            Bound::List(list) => Placed::List(self.arguments.push(list)),
        });
        let bound: Vec<Placed<'_>> = bound.collect();
        let group = self.bind_group(gpu, pipeline, &bound);
        let pass = self.pass(gpu);
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &group, &[params.start]);
        let [x, y] = spread(launch.n_groups, gpu.max_groups);
        pass.dispatch_workgroups(x, y, 1);
        self.work += launch.work;
        Ok(())
    }

    /// Records that a buffer becomes zeros.
    pub(crate) fn clear(&mut self, gpu: &Gpu, buffer: &wgpu::Buffer) {
        // Ends the pass: commands on buffers stand between passes.
        self.pass = None;
        let encoder = self.encoder.get_or_insert_with(|| encoder(gpu));
        encoder.clear_buffer(buffer, 0, None);
    }

    /// Sends what was recorded, with `more` commands after it.
    pub(crate) fn submit(&mut self, gpu: &Gpu, more: impl FnOnce(&mut CommandEncoder)) {
        self.pass = None;
        let mut encoder = self.encoder.take().unwrap_or_else(|| encoder(gpu));
        more(&mut encoder);
        self.arguments.send(gpu);
        gpu.queue.submit([encoder.finish()]);
        self.work = 0;
        self.submissions += 1;
    }

    /// How many command buffers were submitted.
    pub(crate) fn submissions(&self) -> usize {
        self.submissions
    }

    fn bind_group(&self, gpu: &Gpu, pipeline: &Pipeline, bound: &[Placed<'_>]) -> wgpu::BindGroup {
        // The parameters of a launch begin where its dynamic offset says.
        let params = Span {
            start: 0,
            n_bytes: PARAMS_BYTES,
        };
        let mut entries = vec![BindGroupEntry {
            binding: 0,
            resource: self.part(params),
        }];
        for (binding, bound) in (1..).zip(bound) {
            let resource = match bound {
                Placed::Buffer(buffer) => buffer.as_entire_binding(),
                Placed::List(span) => self.part(*span),
            };
            entries.push(BindGroupEntry { binding, resource });
        }
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        })
    }

    fn part(&self, span: Span) -> BindingResource<'_> {
        BindingResource::Buffer(BufferBinding {
            buffer: self.arguments.buffer(),
            offset: u64::from(span.start),
            size: std::num::NonZeroU64::new(u64::from(span.n_bytes)),
        })
    }

    fn pass(&mut self, gpu: &Gpu) -> &mut ComputePass<'static> {
        let encoder = self.encoder.get_or_insert_with(|| encoder(gpu));
        self.pass.get_or_insert_with(|| {
            encoder
                .begin_compute_pass(&wgpu::ComputePassDescriptor::default())
                .forget_lifetime()
        })
    }
}

/// A [`Bound`] whose list has its place among the arguments.
enum Placed<'a> {
    Buffer(&'a wgpu::Buffer),
    List(Span),
}

fn encoder(gpu: &Gpu) -> CommandEncoder {
    gpu.device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}
