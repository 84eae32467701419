//! Kernels, compiled when they are first used and then kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gollm_tensor::Result;
use wgpu::{BindGroupLayoutEntry, BindingType, BufferBindingType, ShaderStages};

use crate::faults::caught;
use crate::gpu::Gpu;
use crate::kernels::Kernel;

/// A compiled kernel and what it is given.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
}

/// The kernels that were used so far.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(Mutex<HashMap<Kernel, Arc<Pipeline>>>);

impl Pipelines {
    pub(crate) fn get(&self, gpu: &Gpu, kernel: Kernel) -> Result<Arc<Pipeline>> {
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = compiled.get(&kernel) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(compile(gpu, kernel)?);
        compiled.insert(kernel, Arc::clone(&pipeline));
        Ok(pipeline)
    }
}

fn compile(gpu: &Gpu, kernel: Kernel) -> Result<Pipeline> {
    gpu.check()?;
    let name = format!("{kernel:?}");
    let made = caught(&gpu.device, || {
        let layout = layout(gpu, &name, kernel.bindings());
        let module = gpu
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&name),
                source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
            });
        let pipeline_layout = gpu
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let pipeline = gpu
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Every kernel writes its workgroup memory before it reads it.
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            });
        Pipeline { pipeline, layout }
    });
    made.map_err(|message| gpu.error(format!("kernel {name} was not accepted: {message}")))
}

/// Parameters at binding 0, then what is read, then what is written.
fn layout(gpu: &Gpu, name: &str, (n_read, n_written): (u32, u32)) -> wgpu::BindGroupLayout {
    let entry = |binding: u32| BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty: if binding == 0 {
                BufferBindingType::Uniform
            } else {
                BufferBindingType::Storage {
                    read_only: binding <= n_read,
                }
            },
            has_dynamic_offset: binding == 0,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..=n_read + n_written).map(entry).collect();
    gpu.device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(name),
            entries: &entries,
        })
}
