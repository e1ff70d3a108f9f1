import Testing

@testable import Gateway

@Suite("Health tool") struct HealthToolTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:8080"), ("0.0.0.0", "127.0.0.1:8080"), ("", "127.0.0.1:8080"), ("::", "[::1]:8080"),
        ("fd00::1", "[fd00::1]:8080"), ("gateway", "gateway:8080"),
    ])
    func `asks where the server can be reached`(host: String, authority: String) {
        var server = Configuration.Server()
        server.host = host
        #expect(HealthTool.authority(server) == authority)
    }
}
