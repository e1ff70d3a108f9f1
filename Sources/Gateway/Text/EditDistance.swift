/// How many letters must be added, left out, replaced or swapped with their neighbour to get from one word to another; nil:
/// more than `limit`.
///
/// The optimal string alignment distance; upper and lower case are the same letter.
func editDistance(_ first: String, _ second: String, limit: Int = .max) -> Int? {
    // Before anything is made of them: most candidates are told apart here.
    guard abs(first.utf8.count - second.utf8.count) <= limit else { return nil }
    let a = Array(first.lowercased().utf8)
    let b = Array(second.lowercased().utf8)
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var row = beforeLast
    for i in a.indices {
        row[0] = i + 1
        var least = row[0]
        for j in b.indices {
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

/// The candidate most like `word`, where one is near enough to have been meant; of several, the first.
func nearest(to word: String, in candidates: [String]) -> String? {
    // Beyond this length nobody mistyped one of ours, and the distance costs the product of the lengths.
    guard word.utf8.count <= 100 else { return nil }
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
        let limit = max(1, min(word.utf8.count, candidate.utf8.count) / 4)
        guard let distance = editDistance(word, candidate, limit: limit) else { continue }
        if distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
}
