private import CCurl
private import CKafka
private import CMicroHTTPD
private import CYAML

/// The C libraries that this process has loaded, as they name themselves.
enum LibraryVersions {
    static var text: String {
        // libcurl's own text has its name, and those that it is made of.
        [
            "libmicrohttpd/\(String(cString: MHD_get_version()))",
            "librdkafka/\(String(cString: rd_kafka_version_str()))",
            "libyaml/\(String(cString: yaml_get_version_string()))",
            String(cString: curl_version()),
        ]
        .joined(separator: " ")
    }
}
