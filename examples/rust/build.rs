fn main() {
    println!("cargo:rerun-if-env-changed=HOLDFAST_LIB");
    if let Ok(folder) = std::env::var("HOLDFAST_LIB") {
        println!("cargo:rustc-link-search=native={folder}");
    }
    println!("cargo:rustc-link-lib=dylib=holdfast");
}
