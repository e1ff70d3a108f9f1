import Testing

@testable import Gateway

@Suite struct ReplyTopicsTests {
    @Test(
        arguments: [
            ("", "replies", true), ("", "other", false), ("", "requests", false), ("", "", false),
            ("other", "other", true), ("other", "others", false), ("other", "othe", false), ("other", "Other", false),
            ("a, b", "b", true), ("a,b", "a,b", false),
            ("replies.*", "replies.team-1", true), ("replies.*", "replies.", true), ("replies.*", "repliesx", false),
            ("*", "anything_at.all-1", true), ("*", "requests", false), ("requests", "requests", false),
            ("*", "with space", false), ("*", "slash/", false), ("*", ".", false), ("*", "..", false),
            ("*", "é", false), ("*", "a\0", false), ("*", "*", false), ("replies.*", "replies.*", false),
            ("*", "dead", false), ("d*", "dead", false), ("*", "events", false), ("*", "events-2", true),
            ("*", "__consumer_offsets", false), ("_*", "__consumer_offsets", false), ("*", "__", false),
            ("*", "_mine", true), ("events", "events", true), ("*", "replies", true),
            ("*", String(repeating: "x", count: 249), true), ("*", String(repeating: "x", count: 250), false),
        ]
    )
    func `a request may name only a topic that is listed`(list: String, name: String, isAllowed: Bool) {
        let reserved = ["dead", "events", "replies"]
        let topics = ReplyTopics(list, replyTopic: "replies", requestTopic: "requests", reserved: reserved)
        Array(name.utf8).withByteView { #expect(topics.allows($0) == isAllowed) }
    }
}
