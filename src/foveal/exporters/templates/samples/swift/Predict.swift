// Predicts with an exported Core ML model: `swift Predict.swift FOLDER_OF_THE_MODEL PICTURE`, on macOS 13 or newer.
// In an app, for iOS 16 or newer, all but the last lines work as they are.

import CoreML
import Foundation
import ImageIO
import Vision

struct Prediction {
    let tag: String
    let probability: Double
    /// In fractions of the picture, from its upper left corner; classifiers give none.
    let box: CGRect?
}

struct ExportedModel {
    static let leastProbability = 0.01

    let labels: [String]
    let metadata: [String: String]
    let model: VNCoreMLModel

    init(folder: URL) async throws {
        let text = try String(contentsOf: folder.appendingPathComponent("labels.txt"), encoding: .utf8)
        labels = text.split(whereSeparator: \.isNewline).map(String.init)
        let json = try Data(contentsOf: folder.appendingPathComponent("metadata_properties.json"))
        metadata = try JSONDecoder().decode([String: String].self, from: json)
        let about = try Data(contentsOf: folder.appendingPathComponent("cvexport.manifest"))
        let manifest = try JSONDecoder().decode([String: String?].self, from: about)
        let file = folder.appendingPathComponent((manifest["ModelFileName"] ?? nil) ?? "model.mlmodel")
        let compiled = try await MLModel.compileModel(at: file)
        model = try VNCoreMLModel(for: MLModel(contentsOf: compiled))
    }

    /// The most probable first. Size, colours and their range are Vision's work: the model tells it what it wants.
    func predict(_ picture: URL) throws -> [Prediction] {
        let request = VNCoreMLRequest(model: model)
        // Stretched, as in training: nothing is cut off, and no border is added.
        request.imageCropAndScaleOption = .scaleFill
        try VNImageRequestHandler(url: picture, orientation: orientation(of: picture)).perform([request])
        return try (request.results ?? []).flatMap(read).sorted { $0.probability > $1.probability }
    }

    private func read(_ result: VNObservation) throws -> [Prediction] {
        switch result {
        case let found as VNRecognizedObjectObservation:
            // The probabilities of the labels say which one it is if there is something at all.
            return found.labels.prefix(1).map {
                let probability = Double($0.confidence * found.confidence)
                return Prediction(tag: $0.identifier, probability: probability, box: fromTop(found.boundingBox))
            }
        case let found as VNClassificationObservation:
            return [Prediction(tag: found.identifier, probability: Double(found.confidence), box: nil)]
        case let found as VNCoreMLFeatureValueObservation:
            return try found.featureValue.multiArrayValue.map(decodeGrid) ?? []
        default:
            return []
        }
    }

    /// A YOLO grid (..., anchors * (5 + tags), rows, columns): x, y, width, height, objectness and the tags' logits.
    private func decodeGrid(_ grid: MLMultiArray) throws -> [Prediction] {
        let biases = metadata["CustomVision.Postprocess.Yolo.Biases"] ?? "[]"
        let anchors = try JSONDecoder().decode([Double].self, from: Data(biases.utf8))
        let (rows, columns) = (grid.shape[grid.shape.count - 2].intValue, grid.shape[grid.shape.count - 1].intValue)
        let batch = Array(repeating: NSNumber(value: 0), count: grid.shape.count - 3)
        var found: [Prediction] = []
        for row in 0..<rows {
            for column in 0..<columns {
                for slot in 0..<anchors.count / 2 {
                    let values = (0..<5 + labels.count).map { value -> Double in
                        let place = [slot * (5 + labels.count) + value, row, column].map { NSNumber(value: $0) }
                        return grid[batch + place].doubleValue
                    }
                    let width = exp(values[2]) * anchors[2 * slot] / Double(columns)
                    let height = exp(values[3]) * anchors[2 * slot + 1] / Double(rows)
                    let left = (Double(column) + values[0]) / Double(columns) - width / 2
                    let top = (Double(row) + values[1]) / Double(rows) - height / 2
                    let (label, share) = mostProbable(Array(values[5...]))
                    let probability = share / (1 + exp(-values[4]))
                    let box = CGRect(x: left, y: top, width: width, height: height)
                    found.append(Prediction(tag: labels[label], probability: probability, box: box))
                }
            }
        }
        // The choice among boxes that overlap is made in the model already.
        return found.filter { $0.probability >= Self.leastProbability }.sorted { $0.probability > $1.probability }
    }
}

/// Which logit is the highest, and its share (softmax).
func mostProbable(_ logits: [Double]) -> (Int, Double) {
    let highest = logits.max()!
    return (logits.firstIndex(of: highest)!, 1 / logits.reduce(0) { $0 + exp($1 - highest) })
}

/// Vision counts from the lower left corner.
func fromTop(_ box: CGRect) -> CGRect {
    CGRect(x: box.minX, y: 1 - box.maxY, width: box.width, height: box.height)
}

/// How the camera was held, so that the picture is seen upright.
func orientation(of picture: URL) -> CGImagePropertyOrientation {
    guard let source = CGImageSourceCreateWithURL(picture as CFURL, nil),
        let about = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any],
        let value = about[kCGImagePropertyOrientation] as? UInt32
    else { return .up }
    return CGImagePropertyOrientation(rawValue: value) ?? .up
}

guard CommandLine.arguments.count == 3 else {
    print("Usage: swift Predict.swift FOLDER_OF_THE_MODEL PICTURE")
    exit(2)
}
let exported = try await ExportedModel(folder: URL(fileURLWithPath: CommandLine.arguments[1]))
for found in try exported.predict(URL(fileURLWithPath: CommandLine.arguments[2])) {
    print(String(format: "%.6f", found.probability), found.tag, found.box.map { "\($0)" } ?? "")
}
