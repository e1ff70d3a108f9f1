/// How many letters must be added, left out, replaced or swapped with their neighbour to get from one word to another; nil:
/// more than `limit`. The optimal string alignment distance, letter by letter of UTF-8.
func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
    guard abs(a.count - b.count) <= limit else { return nil }
    let limit = min(limit, max(a.count, b.count))
    var beforeLast = [Int](repeating: limit + 1, count: b.count + 1)
    var last = Array(0...b.count)
    var row = beforeLast
    for i in a.indices {
        // What is further from the diagonal than the limit is more than the limit.
        let band = max(0, i - limit)..<min(b.count, i + limit + 1)
        row[band.lowerBound] = band.lowerBound == 0 ? i + 1 : limit + 1
        var least = row[band.lowerBound]
        for j in band {
            let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
            var best = min(replaced, last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
            row[j + 1] = best
            least = min(least, best)
        }
        // Nothing in the rows to come is less than the least of this one.
        if least > limit { return nil }
        (beforeLast, last, row) = (last, row, beforeLast)
    }
    return last[b.count] <= limit ? last[b.count] : nil
}

/// Words, one of which may have been meant by what somebody wrote. Upper and lower case are the same letter.
struct Suggestions {
    private static let maxDistance = 4
    /// Fewer letters begin too many words.
    private static let leastBeginning = 3

    private let candidates: [(word: String, letters: [UInt8])]

    init(_ words: [String]) { candidates = words.map { ($0, Array($0.lowercased().utf8)) } }

    /// The one most like `word`, where one is near enough to have been meant; of several, the first.
    func nearest(to word: String) -> String? {
        // Beyond this length nobody mistyped one of ours.
        guard word.utf8.count <= 100 else { return nil }
        let letters = Array(word.lowercased().utf8)
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            // Only what is better than the best so far is of interest.
            let quarter = min(letters.count, candidate.letters.count) / 4
            let limit = min(max(1, quarter), Self.maxDistance, (best?.distance ?? .max) - 1)
            guard let distance = editDistance(letters, candidate.letters, limit: limit) else { continue }
            if distance == 0 { return candidate.word }
            best = (distance, candidate.word)
        }
        return best?.word ?? whole(letters)
    }

    /// The only one that the letters begin, or that begins them: `warn` for `warning`.
    private func whole(_ letters: [UInt8]) -> String? {
        let found = candidates.filter {
            min($0.letters.count, letters.count) >= Self.leastBeginning
                && ($0.letters.starts(with: letters) || letters.starts(with: $0.letters))
        }
        return found.count == 1 ? found[0].word : nil
    }
}

/// For the command line.
public enum Suggestion {
    /// The candidate most like `word`, where one is near enough to have been meant.
    public static func nearest(to word: String, in candidates: [String]) -> String? {
        Suggestions(candidates).nearest(to: word)
    }
}

/// As `Suggestions.nearest`, for words that are asked about once.
func nearest(to word: String, in candidates: [String]) -> String? { Suggestions(candidates).nearest(to: word) }
