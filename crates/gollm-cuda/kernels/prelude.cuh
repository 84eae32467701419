// What every kernel may use. No headers: NVRTC has none to include.
