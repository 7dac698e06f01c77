// SwiftUI without packages: covers by AsyncImage, a download's progress over a WebSocket (graphql-transport-ws).
// Read only: no Swift runs where the other examples are tested.

import SwiftUI

let server = URL(string: "http://127.0.0.1:11111")!

struct Album: Decodable, Identifiable {
    struct Cover: Decodable { let url: URL }
    let id: String
    let title: String
    let cover: Cover
}

struct Ranking: Decodable {
    struct Entry: Decodable { let album: Album }
    let entries: [Entry]
}

struct Failure: Error, Decodable {
    struct Extensions: Decodable { let code: String; let retryable: Bool; let retryAfter: Int? }
    let message: String
    let extensions: Extensions
}

private struct Response<Payload: Decodable>: Decodable { let data: Payload?; let errors: [Failure]? }

/// The data of a query or mutation; throws the first `Failure`.
func ask<Payload: Decodable>(_ query: String, variables: [String: String] = [:]) async throws -> Payload {
    var request = URLRequest(url: server.appending(path: "graphql"))
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = try JSONSerialization.data(withJSONObject: ["query": query, "variables": variables])
    let (body, _) = try await URLSession.shared.data(for: request)
    let response = try JSONDecoder().decode(Response<Payload>.self, from: body)
    if let failure = response.errors?.first { throw failure }
    guard let data = response.data else { throw URLError(.cannotParseResponse) }
    return data
}

struct Download: Decodable {
    struct Progress: Decodable { let percent: Double }
    struct File: Decodable { let url: URL }
    let state: String
    let progress: Progress
    let file: File?
}

/// Each state of a download, until it has ended.
func states(of id: String) -> AsyncThrowingStream<Download, Error> {
    AsyncThrowingStream { continuation in
        var address = URLComponents(url: server.appending(path: "graphql"), resolvingAgainstBaseURL: false)!
        address.scheme = address.scheme == "https" ? "wss" : "ws"
        let socket = URLSession.shared.webSocketTask(with: address.url!, protocols: ["graphql-transport-ws"])
        let task = Task {
            struct Data: Decodable { let downloadStatus: Download }
            struct Frame: Decodable { let type: String }
            struct Next: Decodable { let payload: Response<Data> }
            struct Refusal: Decodable { let payload: [Failure] }
            do {
                socket.resume()
                try await socket.send(json: ["type": "connection_init"]) // payload: ["token": "jmg_…"] with accounts
                let query = "subscription ($id: ID!) { downloadStatus(id: $id) { state progress { percent } file { url } } }"
                while true {
                    guard case .string(let text) = try await socket.receive() else { continue }
                    let body = Foundation.Data(text.utf8)
                    switch try JSONDecoder().decode(Frame.self, from: body).type {
                    case "connection_ack":
                        let payload: [String: Any] = ["query": query, "variables": ["id": id]]
                        try await socket.send(json: ["id": "1", "type": "subscribe", "payload": payload])
                    case "ping":
                        try await socket.send(json: ["type": "pong"])
                    case "next":
                        let result = try JSONDecoder().decode(Next.self, from: body).payload
                        if let failure = result.errors?.first { throw failure }
                        if let data = result.data { continuation.yield(data.downloadStatus) }
                    case "error":
                        throw try JSONDecoder().decode(Refusal.self, from: body).payload[0]
                    case "complete":
                        continuation.finish()
                        return
                    default:
                        continue
                    }
                }
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in
            task.cancel()
            socket.cancel(with: .normalClosure, reason: nil)
        }
    }
}

private extension URLSessionWebSocketTask {
    func send(json: [String: Any]) async throws {
        let text = String(decoding: try JSONSerialization.data(withJSONObject: json), as: UTF8.self)
        try await send(.string(text))
    }
}

struct RankingView: View {
    @State private var albums: [Album] = []
    @State private var message = ""
    private let columns = [GridItem(.adaptive(minimum: 120))]

    var body: some View {
        ScrollView {
            Text(message)
            LazyVGrid(columns: columns) {
                ForEach(albums) { album in
                    Button { Task { await download(album) } } label: {
                        VStack {
                            AsyncImage(url: album.cover.url) { $0.resizable().scaledToFit() } placeholder: { ProgressView() }
                            Text(album.title).lineLimit(2)
                        }
                    }
                }
            }
        }
        .task { await load() }
    }

    private func load() async {
        struct Data: Decodable { let ranking: Ranking }
        do {
            let data: Data = try await ask("{ ranking(period: WEEK) { entries { album { id title cover { url(size: THUMBNAIL) } } } } }")
            albums = data.ranking.entries.map(\.album)
        } catch { show(error) }
    }

    private func download(_ album: Album) async {
        struct Started: Decodable { let id: String?; let message: String? }
        struct Data: Decodable { let startDownload: Started }
        let mutation = """
            mutation ($id: String!) {
              startDownload(input: {albumId: $id}) { ... on Download { id } ... on Error { code message retryable retryAfter } }
            }
            """
        do {
            let data: Data = try await ask(mutation, variables: ["id": album.id])
            guard let id = data.startDownload.id else { message = data.startDownload.message ?? ""; return }
            for try await state in states(of: id) {
                message = state.file?.url.absoluteString ?? "\(state.state) \(Int(state.progress.percent)) %"
            }
        } catch { show(error) }
    }

    private func show(_ error: Error) {
        message = (error as? Failure)?.message ?? error.localizedDescription
    }
}
