// Predicts with an exported TensorFlow Lite model on Android 9 or newer.
// It needs one library: implementation("com.google.ai.edge.litert:litert:1.4.0")

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.ImageDecoder
import android.graphics.Paint
import android.graphics.Rect
import android.graphics.RectF
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.exp
import org.json.JSONArray
import org.json.JSONObject
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

private const val LEAST_PROBABILITY = 0.01f

/** `box` is in fractions of the picture, from its upper left corner; classifiers give none. */
data class Prediction(val tag: String, val probability: Float, val box: RectF? = null)

/** Decode a file upright, into memory that the processor can read. */
fun readPicture(file: File): Bitmap =
    ImageDecoder.decodeBitmap(ImageDecoder.createSource(file)) { decoder, _, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
    }

/** The model in a folder with model.tflite, labels.txt and metadata_properties.json; for one thread at a time. */
class ExportedModel(folder: File) : AutoCloseable {
    private val labels = File(folder, "labels.txt").readLines().filter { it.isNotEmpty() }
    private val metadata = JSONObject(File(folder, "metadata_properties.json").readText())
    private val width = metadata.getString("CustomVision.Preprocess.TargetWidth").toInt()
    private val height = metadata.getString("CustomVision.Preprocess.TargetHeight").toInt()
    private val interpreter = Interpreter(File(folder, "model.tflite")).apply { allocateTensors() }

    override fun close() = interpreter.close()

    /** The most probable first. */
    fun predict(picture: Bitmap): List<Prediction> {
        val indices = 0 until interpreter.outputTensorCount
        val outputs = indices.associateWith { memory(interpreter.getOutputTensor(it).numBytes()) }
        interpreter.runForMultipleInputsOutputs(arrayOf(pixels(picture)), outputs)
        val read = outputs.entries.associate { (index, content) ->
            val tensor = interpreter.getOutputTensor(index)
            tensor.name().substringBefore(':') to numbers(tensor, content)
        }
        val found = when (metadata.getString("CustomVision.Postprocess.Method")) {
            "Detection" -> pair(read)
            "Yolo" -> decodeGrid(read.values.single(), interpreter.getOutputTensor(0).shape())
            else -> read.values.single().mapIndexed { index, probability -> Prediction(labels[index], probability) }
        }
        return found.sortedByDescending { it.probability }
    }

    /** The picture stretched to (1, height, width, 3), in the order and range that the model was told. */
    private fun pixels(picture: Bitmap): ByteBuffer {
        val colours = IntArray(width * height)
        stretched(picture).getPixels(colours, 0, width, 0, 0, width, height)
        val divisor = if (metadata.getString("Image.NominalPixelRange") == "Normalized_0_1") 255f else 1f
        val blueFirst = metadata.getString("Image.BitmapPixelFormat") == "Bgr8"
        val shifts = if (blueFirst) intArrayOf(0, 8, 16) else intArrayOf(16, 8, 0)
        val input = memory(4 * 3 * width * height)
        for (colour in colours) for (shift in shifts) input.putFloat((colour shr shift and 255) / divisor)
        return input.apply { rewind() }
    }

    /** Halved until it is nearly right, as one large step would skip pixels; then drawn on white. */
    private fun stretched(picture: Bitmap): Bitmap {
        var small = picture
        while (small.width > 2 * width || small.height > 2 * height) {
            val (w, h) = Pair(maxOf(width, (small.width + 1) / 2), maxOf(height, (small.height + 1) / 2))
            small = Bitmap.createScaledBitmap(small, minOf(w, small.width), minOf(h, small.height), true)
        }
        val paper = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        Canvas(paper).apply {
            drawColor(Color.WHITE)
            drawBitmap(small, null, Rect(0, 0, width, height), Paint(Paint.FILTER_BITMAP_FLAG))
        }
        return paper
    }

    /** Finished boxes; there are always as many, and those behind the last one found have the score 0. */
    private fun pair(outputs: Map<String, FloatArray>): List<Prediction> {
        val (boxes, scores, classes) = listOf("boxes", "scores", "classes").map { outputs.getValue("detected_$it") }
        return scores.indices.filter { scores[it] >= LEAST_PROBABILITY }.map {
            val box = RectF(boxes[4 * it], boxes[4 * it + 1], boxes[4 * it + 2], boxes[4 * it + 3])
            Prediction(labels[classes[it].toInt()], scores[it], box)
        }
    }

    /** A YOLO grid (1, rows, columns, anchors * (5 + tags)): x, y, width, height, objectness and the tags' logits. */
    private fun decodeGrid(grid: FloatArray, shape: IntArray): List<Prediction> {
        val anchors = JSONArray(metadata.getString("CustomVision.Postprocess.Yolo.Biases"))
        val (slots, length) = Pair(anchors.length() / 2, 5 + labels.size)
        val (rows, columns) = Pair(shape[1], shape[2])
        val found = (0 until rows * columns * slots).map { place ->
            val (cell, slot) = Pair(place / slots, place % slots)
            val values = grid.copyOfRange(place * length, (place + 1) * length)
            val halfW = exp(values[2]) * anchors.getDouble(2 * slot).toFloat() / columns / 2
            val halfH = exp(values[3]) * anchors.getDouble(2 * slot + 1).toFloat() / rows / 2
            val (x, y) = Pair((cell % columns + values[0]) / columns, (cell / columns + values[1]) / rows)
            val logits = values.drop(5)
            val highest = logits.max()
            val share = 1 / logits.sumOf { exp(it - highest).toDouble() }.toFloat()
            val box = RectF(x - halfW, y - halfH, x + halfW, y + halfH)
            Prediction(labels[logits.indexOf(highest)], share / (1 + exp(-values[4])), box)
        }
        // The choice among boxes that overlap is made in the model already.
        return found.filter { it.probability >= LEAST_PROBABILITY }.sortedByDescending { it.probability }
    }
}

private fun memory(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

private fun numbers(tensor: Tensor, content: ByteBuffer): FloatArray {
    content.rewind()
    return FloatArray(tensor.numElements()) {
        when (tensor.dataType()) {
            DataType.INT32 -> content.int.toFloat()
            DataType.INT64 -> content.long.toFloat()
            else -> content.float
        }
    }
}
