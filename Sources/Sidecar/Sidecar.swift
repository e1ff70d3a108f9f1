@main
enum Sidecar {
    static func main() {}
}
