private import CCurl

/// One GET whose answer is waited for: for the command line, never on a shard.
final class CurlProbe: CurlHandle {
    /// The status of the answer, whose body is read and forgotten. Blocks for up to this time.
    func get(timeoutMilliseconds: Int) throws(Failure) -> Int {
        setNumber(CURLOPT_TIMEOUT_MS.rawValue, timeoutMilliseconds)
        // Without a function, libcurl would print the body.
        _ = CCurl_easy_setopt_data_function(easy, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        let code = curl_easy_perform(easy)
        guard code == CURLE_OK else {
            throw Failure(reason: errorMessage.isEmpty ? String(cString: curl_easy_strerror(code)) : errorMessage)
        }
        return getNumber(CURLINFO_RESPONSE_CODE.rawValue)
    }

    struct Failure: Error {
        let reason: String
    }
}
