private import CCurl

/// Dates in header lines (RFC 9110, section 5.6.7), read by libcurl.
enum HTTPDate {
    /// Seconds since 1970-01-01 UTC; nil: it is no date that libcurl can read (curl_getdate(3)), or before 1970.
    static func seconds(of text: ByteView) -> Int? {
        // The longest of the three forms has 33 characters; libcurl would also read fragments of a text.
        guard text.count >= 24, text.count <= 40 else { return nil }
        let seconds = text.string.withCString { curl_getdate($0, nil) }
        return seconds < 0 ? nil : Int(seconds)
    }
}
