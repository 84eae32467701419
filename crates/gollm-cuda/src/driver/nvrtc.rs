//! NVRTC, the compiler of CUDA C that comes as a library.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use gollm_tensor::Result;

use super::library::{SharedLibrary, error, functions};

type Code = c_int;
type Program = *mut c_void;

functions! {
    /// Functions of NVRTC, by the names of the vendor's header `nvrtc.h`.
    struct Functions {
        version = nvrtcVersion(major: *mut c_int, minor: *mut c_int) -> Code;
        error_text = nvrtcGetErrorString(code: Code) -> *const c_char;
        n_architectures = nvrtcGetNumSupportedArchs(n: *mut c_int) -> Code;
        architectures = nvrtcGetSupportedArchs(architectures: *mut c_int) -> Code;
        create = nvrtcCreateProgram(
            program: *mut Program, source: *const c_char, name: *const c_char,
            n_headers: c_int, headers: *const *const c_char, header_names: *const *const c_char,
        ) -> Code;
        compile = nvrtcCompileProgram(program: Program, n: c_int, options: *const *const c_char) -> Code;
        destroy = nvrtcDestroyProgram(program: *mut Program) -> Code;
        log_len = nvrtcGetProgramLogSize(program: Program, len: *mut usize) -> Code;
        log = nvrtcGetProgramLog(program: Program, log: *mut c_char) -> Code;
        cubin_len = nvrtcGetCUBINSize(program: Program, len: *mut usize) -> Code;
        cubin = nvrtcGetCUBIN(program: Program, cubin: *mut c_char) -> Code;
    }
}

/// A compiler that was found.
#[derive(Debug)]
pub(super) struct Nvrtc {
    functions: Functions,
    library: SharedLibrary,
    /// Major and minor: (12, 4).
    pub(super) version: (u32, u32),
    /// The architectures that it compiles for, as 52 for sm_52.
    pub(super) architectures: Vec<u32>,
}

/// What the compiler made of a source.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The code for one architecture, an ELF file.
    pub(super) cubin: Vec<u8>,
    /// What the compiler said: warnings, and the use of registers where it was asked for.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only tests ask what a kernel uses")
    )]
    pub(super) log: String,
}

impl Nvrtc {
    /// Asks an open library who it is.
    pub(super) fn new(library: SharedLibrary) -> Result<Self> {
        let functions = Functions::load(&library)?;
        let mut nvrtc = Self {
            functions,
            library,
            version: (0, 0),
            architectures: Vec::new(),
        };
        let (mut major, mut minor, mut n) = (0, 0, 0);
        // SAFETY: writes two `int`s.
        let code = unsafe { (functions.version)(&raw mut major, &raw mut minor) };
        nvrtc.check(code, "nvrtcVersion")?;
        nvrtc.version = (unsigned(major), unsigned(minor));
        // SAFETY: writes one `int`.
        let code = unsafe { (functions.n_architectures)(&raw mut n) };
        nvrtc.check(code, "nvrtcGetNumSupportedArchs")?;
        let mut architectures: Vec<c_int> = vec![0; unsigned(n) as usize];
        // SAFETY: writes as many `int`s as it just said.
        let code = unsafe { (functions.architectures)(architectures.as_mut_ptr()) };
        nvrtc.check(code, "nvrtcGetSupportedArchs")?;
        nvrtc.architectures = architectures.into_iter().map(unsigned).collect();
        Ok(nvrtc)
    }

    /// What the library was opened by.
    pub(super) fn path(&self) -> &Path {
        &self.library.path
    }

    /// Compiles one source for one architecture (`sm_52`).
    ///
    /// # Errors
    ///
    /// The compiler's messages, if the source has errors.
    pub(super) fn compile(
        &self,
        file: &str,
        source: &str,
        sm: &str,
        options: &[&str],
    ) -> Result<Compiled> {
        let program = self.program(file, source)?;
        let architecture = format!("--gpu-architecture={sm}");
        let options = [&architecture as &str]
            .into_iter()
            .chain(options.iter().copied())
            .map(c_string)
            .collect::<Result<Vec<CString>>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let n = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        let compile = self.functions.compile;
        // SAFETY: the program lives, and each pointer is to a string that ends in a zero.
        let code = unsafe { compile(program.handle, n, pointers.as_ptr()) };
        let log = program.log()?;
        let (major, minor) = self.version;
        let what = format!(
            "compiling {file} for {sm} with NVRTC {major}.{minor} ({})",
            self.path().display()
        );
        if code != 0 {
            let said = self.explain(code, what);
            return Err(error(format_args!("{said}:\n{}", log.trim_end())));
        }
        let cubin = program.cubin()?;
        if cubin.is_empty() {
            return Err(error(format_args!("{what} gave no code")));
        }
        Ok(Compiled { cubin, log })
    }

    fn program(&self, file: &str, source: &str) -> Result<ProgramGuard<'_>> {
        let (name, source) = (c_string(file)?, c_string(source)?);
        let mut handle = ptr::null_mut();
        let none = ptr::null();
        let create = self.functions.create;
        // SAFETY: writes one handle; both strings end in a zero and are copied; there are no headers.
        let code = unsafe {
            create(
                &raw mut handle,
                source.as_ptr(),
                name.as_ptr(),
                0,
                none,
                none,
            )
        };
        self.check(code, "nvrtcCreateProgram")?;
        Ok(ProgramGuard {
            nvrtc: self,
            handle,
        })
    }

    fn check(&self, code: Code, what: &str) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        Err(error(self.explain(code, what.to_owned())))
    }

    fn explain(&self, code: Code, what: String) -> String {
        // SAFETY: takes no pointers; gives null or a string that lives as long as the library.
        let text = unsafe { (self.functions.error_text)(code) };
        if text.is_null() {
            return format!("{what} failed with code {code}");
        }
        // SAFETY: not null, and ends in a zero.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        format!("{what} failed with {text} ({code})")
    }
}

/// A program of the compiler, destroyed when it is dropped.
struct ProgramGuard<'a> {
    nvrtc: &'a Nvrtc,
    handle: Program,
}

impl ProgramGuard<'_> {
    fn log(&self) -> Result<String> {
        let functions = &self.nvrtc.functions;
        let bytes = self.bytes(functions.log_len, functions.log, "nvrtcGetProgramLog")?;
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    fn cubin(&self) -> Result<Vec<u8>> {
        let functions = &self.nvrtc.functions;
        self.bytes(functions.cubin_len, functions.cubin, "nvrtcGetCUBIN")
    }

    fn bytes(
        &self,
        len: unsafe extern "system" fn(Program, *mut usize) -> Code,
        get: unsafe extern "system" fn(Program, *mut c_char) -> Code,
        what: &str,
    ) -> Result<Vec<u8>> {
        let mut n_bytes = 0;
        // SAFETY: the program lives; writes one size.
        let code = unsafe { len(self.handle, &raw mut n_bytes) };
        self.nvrtc.check(code, what)?;
        let mut bytes = vec![0u8; n_bytes];
        // SAFETY: writes as many bytes as it just said.
        let code = unsafe { get(self.handle, bytes.as_mut_ptr().cast()) };
        self.nvrtc.check(code, what)?;
        Ok(bytes)
    }
}

impl Drop for ProgramGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: was created once and is destroyed once. There is nobody to tell if it fails.
        unsafe { (self.nvrtc.functions.destroy)(&raw mut self.handle) };
    }
}

fn unsigned(number: c_int) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| error(format_args!("a zero byte in {text:?}")))
}
