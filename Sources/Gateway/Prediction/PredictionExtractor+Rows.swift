/// The values of an Open Inference Protocol answer: its tensors cut into rows.
extension PredictionExtractor {
    /// Makes the value of each Prediction from a row of every output.
    ///
    /// - Parameter rows: How many rows each output has, at least one; nil where the outputs do not share rows, so that
    ///   all there is becomes one Prediction.
    func composeValues(rows: Int?) {
        for index in outputs.indices {
            if outputs[index].data == nil {
                let start = scratch.count
                describe(outputs[index], rows: rows)
                outputs[index].layout = .described(start: start, end: scratch.count)
            } else if rows == nil {
                outputs[index].layout = .whole
            }
        }
        if outputs.count == 1 {
            composeSingle(&outputs[0], rows: rows ?? 1)
        } else {
            composeSeveral(&outputs, rows: rows ?? 1)
        }
    }

    private func composeSingle(_ tensor: inout Tensor, rows: Int) {
        switch tensor.layout {
        case .elements, .whole:
            for _ in 0..<rows { values.append(takeSlice(of: &tensor)) }
        case .described(let start, let end):
            // They are all alike.
            for _ in 0..<rows { values.append(scratch[start..<end]) }
        case .flat:
            for _ in 0..<rows {
                takeRow(of: &tensor)
                ends.append(scratch.count)
            }
            collectValues(from: 0)
        }
    }

    private func composeSeveral(_ tensors: inout [Tensor], rows: Int) {
        let start = scratch.count
        for _ in 0..<rows {
            for index in tensors.indices {
                scratch.append(index == 0 ? "{\"" : ",\"")
                scratch.append(tensors[index].name)
                scratch.append("\":")
                takeRow(of: &tensors[index])
            }
            scratch.append(UInt8(ascii: "}"))
            ends.append(scratch.count)
        }
        collectValues(from: start)
    }

    /// Views of the values that stand one after another in the scratch space, now that it no longer moves.
    private func collectValues(from first: Int) {
        var start = first
        values.reserveCapacity(ends.count)
        for end in ends {
            values.append(scratch[start..<end])
            start = end
        }
    }

    /// The next row, where it is a part of the answer as sent.
    @inline(__always)
    private func takeSlice(of tensor: inout Tensor) -> ByteView {
        if case .whole = tensor.layout, let data = tensor.data { return outline.bytes(data) }
        let element = tensor.next
        tensor.next = outline.after(element)
        return outline.bytes(element)
    }

    /// Appends the next row to the scratch space.
    private func takeRow(of tensor: inout Tensor) {
        switch tensor.layout {
        case .elements, .whole:
            scratch.append(takeSlice(of: &tensor))
        case .described(let start, let end):
            // Room first: the bytes to copy are in the buffer that may move.
            scratch.reserve(end - start)
            scratch.append(scratch[start..<end])
        case .flat(let length):
            scratch.append(UInt8(ascii: "["))
            let first = tensor.next
            var last = first
            for _ in 0..<length {
                last = tensor.next
                tensor.next = outline.after(last)
            }
            if length > 0 { scratch.append(outline.bytes(from: first, through: last)) }
            scratch.append(UInt8(ascii: "]"))
        }
    }

    /// Appends what is known of a tensor whose data is not in the JSON.
    ///
    /// - Parameter rows: How many rows it is cut into; nil: it is described as a whole.
    private func describe(_ tensor: Tensor, rows: Int?) {
        scratch.append("{\"datatype\":\"")
        scratch.append(tensor.datatype)
        scratch.append("\",\"shape\":[")
        let first = rows == nil ? 0 : 1
        for index in first..<max(first, tensor.rank) {
            if index > first { scratch.append(UInt8(ascii: ",")) }
            scratch.append(outline.bytes(tensor.shape + 1 + index))
        }
        scratch.append("]")
        // The rows of BYTES differ in length.
        if let size = tensor.binarySize, rows == nil || (!(tensor.datatype == "BYTES") && size % (rows ?? 1) == 0) {
            scratch.append(",\"binaryDataSize\":")
            scratch.append(decimal: size / (rows ?? 1))
        }
        scratch.append("}")
    }
}
