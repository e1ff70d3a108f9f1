/// How many letters must be added, left out, replaced or swapped with their neighbour to get from one word to another.
///
/// The optimal string alignment distance; upper and lower case are the same letter.
func editDistance(_ first: String, _ second: String) -> Int {
    let a = Array(first.lowercased().utf8)
    let b = Array(second.lowercased().utf8)
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
            var best = min(replaced, last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
            row.append(best)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}

/// The candidate most like `word`, where one is near enough to have been meant.
func nearest(to word: String, in candidates: [String]) -> String? {
    // Beyond this length nobody mistyped one of ours, and the distance costs the product of the lengths.
    guard word.utf8.count <= 100 else { return nil }
    let best = candidates.map { (distance: editDistance(word, $0), candidate: $0) }.min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, min(word.count, best.candidate.count) / 4) else { return nil }
    return best.candidate
}
