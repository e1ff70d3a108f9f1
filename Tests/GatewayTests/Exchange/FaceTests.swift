import Testing

@testable import Gateway

/// That what the configuration calls faces and protocols are those that there are, and the other way round.
@Suite struct FaceTests {
    @Test func `each face has its word in the configuration`() {
        let names = Face.allCases.map { "\($0.codec.name)" }
        #expect(names == Configuration.Providers.Kafka.Face.allCases.map(\.rawValue))
        #expect(Set(names).count == names.count)
        for (face, name) in zip(Face.allCases, names) {
            #expect(Array(name.utf8).withByteView { Face.named($0) } == face)
        }
        #expect(Face.named(ByteView("V1")) == nil && Face.named(.empty) == nil)
        #expect(Face.names == "native, v1, v2")
    }

    @Test func `each protocol has its word in the configuration`() {
        let names = ModelProtocol.allCases.map { "\($0.codec.name)" }
        #expect(names == Configuration.Model.ServiceProtocol.allCases.map(\.rawValue))
        for word in Configuration.Model.ServiceProtocol.allCases {
            #expect(ModelProtocol.named(word.rawValue).map { "\($0.codec.name)" } == word.rawValue)
        }
        #expect(ModelProtocol.named("v3") == nil)
    }

    @Test func `what the example Model Service speaks is a protocol`() {
        #expect(ExampleModelOptions.protocols.map(\.rawValue) == ExampleSpeech.allCases.map(\.rawValue))
        for word in ExampleModelOptions.protocols { #expect(ExampleSpeech(word).rawValue == word.rawValue) }
    }

    @Test(arguments: Face.allCases) func `a face that writes no answers passes them on`(_ face: Face) {
        #expect(face.codec.writesAnswers == (face == .native))
        // Its own paths are its own only.
        for path in ["/predictions", "/v1/models", "/v2/health/live"] {
            Array(path.utf8).withByteView { path in
                #expect((face.codec.target(of: path) != nil) == (Face.of(path: path) == face))
            }
        }
    }
}
