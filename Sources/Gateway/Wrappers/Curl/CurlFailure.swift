private import CCurl
private import Glibc

/// Why a transfer gave no answer: libcurl's code, sorted by what a user must look at (libcurl-errors(3)).
struct CurlFailure: Error {
    enum Kind {
        /// Nothing listens there (ECONNREFUSED), or the Unix socket is missing.
        case refused
        /// The host can't be reached for another reason.
        case unreachable
        /// The name can't be resolved.
        case dns
        /// The handshake failed or the certificate is not trusted.
        case tls
        /// The connection closed or broke before the first byte of the answer.
        case resetBeforeAnswer
        /// The connection closed or broke in the middle of the answer.
        case resetInAnswer
        /// What came is not HTTP.
        case malformed
        /// The answer is longer than allowed.
        case tooLarge
        /// There is no memory for the answer.
        case noMemory
        /// libcurl's own limit on connecting was reached.
        case timeout
        /// To be tried on a fresh connection: the kept one that was to carry the request has died, or holds what is no answer
        /// to it.
        case wantsFreshConnection
        /// Anything else; the message tells.
        case other
    }

    let kind: Kind
    let code: UInt32
}

extension CurlTransfer {
    /// Sorts the result of a finished transfer; nil: the answer is complete.
    func failure(result: UInt32) -> CurlFailure? {
        let code = CURLcode(rawValue: result)
        switch code {
        case CURLE_OK: return nil
        case CURLE_WRITE_ERROR where headerIsTooLong:
            setError("the header is too long")
            return CurlFailure(kind: .malformed, code: result)
        case CURLE_WRITE_ERROR where lacksMemory: return CurlFailure(kind: .noMemory, code: result)
        case CURLE_WRITE_ERROR where answerIsTooLong: return CurlFailure(kind: .tooLarge, code: result)
        case CURLE_ABORTED_BY_CALLBACK where abortion == .wantsFreshConnection:
            return CurlFailure(kind: .wantsFreshConnection, code: result)
        case CURLE_ABORTED_BY_CALLBACK where abortion == .mayHaveBeenRead:
            // What libcurl says is about the callback.
            clearError()
            return CurlFailure(kind: .resetBeforeAnswer, code: result)
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING:
            // libcurl has not even tried, since it has counted too many of them.
            if maySendAgain { return CurlFailure(kind: .wantsFreshConnection, code: result) }
            // A broken chunk comes under the same code as a broken connection; only the text tells.
            let isChunk = errorMessage.contains("chunk")
            return CurlFailure(
                kind: isChunk ? .malformed : answerHasBegun ? .resetInAnswer : .resetBeforeAnswer,
                code: result
            )
        default: return CurlFailure(kind: kind(of: result), code: result)
        }
    }
}

extension CurlHandle {
    /// What a code means where no more than the code is known.
    func kind(of result: UInt32) -> CurlFailure.Kind {
        switch CURLcode(rawValue: result) {
        case CURLE_COULDNT_CONNECT where [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(socketError): socketFailure
        case CURLE_COULDNT_CONNECT: connectFailure
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .dns
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_USE_SSL_FAILED:
            .tls
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING: .malformed
        case CURLE_PARTIAL_FILE: .resetInAnswer
        case CURLE_GOT_NOTHING: .resetBeforeAnswer
        default: .other
        }
    }

    /// No connection can be made, whatever the Model Service is like: there are no more descriptors, or no memory.
    private var socketFailure: CurlFailure.Kind {
        setError("\(SystemError(call: "socket", code: socketError))")
        return .other
    }

    private var connectFailure: CurlFailure.Kind {
        switch Int32(osError) {
        case ECONNREFUSED, ENOENT: .refused
        case ETIMEDOUT: .timeout
        default: .unreachable
        }
    }
}
