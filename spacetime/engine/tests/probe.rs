#[test]
fn the_server_process() {
    if let Some(dir) = std::env::var_os("ENGINE_TEST_DATA_DIR") {
        let listen = std::env::var("ENGINE_TEST_LISTEN").unwrap_or("127.0.0.1:0".into());
        cutover_engine::run(listen.parse().unwrap(), dir.as_ref()).unwrap();
    }
}
