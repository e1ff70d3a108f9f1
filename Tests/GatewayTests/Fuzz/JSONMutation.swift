import TestSupport

/// Changes to answers of models that mostly leave them JSON.
enum JSONMutation {
    private static let mutation = ByteMutation(words: [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u00e9", "\\ud83d", "\\ude00", "0", "-1", "1e5", "1.5", "true",
        "null",
        " ", "\n", "\u{e9}", "\u{1f600}", "[]", "{}", "[[1,2],[3,4]]", "\"a\":", "\"predictions\":", "\"value\":",
        "\"outputs\":[", "\"name\":\"a\",", "\"shape\":[2],", "\"shape\":[2,2],", "\"datatype\":\"FP32\",",
        "\"data\":[1,2]", "\"parameters\":{\"binary_data_size\":8}", "\"model_name\":\"m\",", "\"id\":\"i\",",
        "\"modelName\":", "\"modelVersion\":", "\"timeTakenInMs\":", "NaN", "-Infinity", "99999999999",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}",
    ])

    /// - Parameter other: an answer that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        mutation.mutate(&bytes, &random, other: other)
    }
}
