/// What the ten digits look like when they stand upright.
enum DigitPrototypes {
    // Any two of the forty pictures (ten digits, four ways round) differ in at least five cells, so that two wrong cells
    // are borne. Hence the 0 that is narrow at its top, the 8 with a large foot, the 6 with a round back to the straight 9.
    static let all: [DigitImage] = [
        DigitImage("..#..", ".#.#.", "#...#", "#...#", ".###."),
        DigitImage("..#..", ".##..", "..#..", "..#..", ".###."),
        DigitImage(".###.", "#...#", "..##.", ".#...", "#####"),
        DigitImage("####.", "....#", "..##.", "....#", "####."),
        DigitImage("#..#.", "#..#.", "#####", "...#.", "...#."),
        DigitImage("#####", "#....", "###..", "...#.", "###.."),
        DigitImage(".##..", "#....", "####.", "#...#", ".###."),
        DigitImage("#####", "...#.", "..#..", ".#...", ".#..."),
        DigitImage(".###.", ".#.#.", ".###.", "#...#", "#####"),
        DigitImage(".####", ".#..#", ".####", "....#", "....#"),
    ]
}
