// Runs a decoder packed by aeviz/export/page/decoder.py in the browser: code in, image out. Each layer writes to its
// own buffer or works in place, so decoding allocates no memory. Images are stored channels last.
const { readDecoder, paintSample } = (() => {
  const FORMAT = 1
  const count = (shape) => shape.reduce((product, side) => product * side, 1)

  // Abramowitz & Stegun 7.1.26; absolute error below 1.5e-7.
  const erf = (x) => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x))
    const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return Math.sign(x) * (1 - tail * Math.exp(-x * x))
  }
  // One loop per function: calling a function per element would box every number.
  const ACTIVATIONS = {
    relu(x) { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = 0 },
    leaky_relu(x, slope) { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] *= slope },
    elu(x) { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = Math.expm1(x[i]) },
    gelu(x) { for (let i = 0; i < x.length; i++) x[i] *= 0.5 * (1 + erf(x[i] * Math.SQRT1_2)) },
    silu(x) { for (let i = 0; i < x.length; i++) x[i] /= 1 + Math.exp(-x[i]) },
    tanh(x) { for (let i = 0; i < x.length; i++) x[i] = Math.tanh(x[i]) },
    sigmoid(x) { for (let i = 0; i < x.length; i++) x[i] = 1 / (1 + Math.exp(-x[i])) },
  }

  // The phases of a transposed convolution along one axis. Each phase writes `size` output pixels, a stride apart,
  // starting at `first`; `taps` is its kernel size and `from` the first input pixel it reads.
  const phases = (after, kernel, stride, padding) => Array.from({ length: stride }, (_, phase) => {
    const taps = Math.max(0, Math.ceil((kernel - phase) / stride))
    const first = (((phase - padding) % stride) + stride) % stride
    const from = (first + padding - phase) / stride - taps + 1
    return { taps, first, from, size: Math.max(0, Math.ceil((after - first) / stride)) }
  })
  const margins = (before, parts) => [
    Math.max(0, ...parts.map((part) => -part.from)),
    Math.max(0, ...parts.map((part) => part.from + part.size + part.taps - 1 - before)),
  ]

  // Applies one phase to a padded image with the weights starting at `at`; returns the offset of the next phase's
  // weights. A row of taps is contiguous in memory. Works on two pixels and two channels at a time; an odd last one is
  // computed twice. `| 0` marks indices as integers; without it, V8 takes 1.4 times as long.
  const slide = (image, width, inputs, rows, columns, weights, at, bias, out, place) => {
    const outputs = bias.length, run = columns.taps * inputs, line = width * inputs
    const size = 2 * rows.taps * run
    for (let channel = 0; channel < outputs; channel += 2, at += size) {
      const beside = channel + 1 < outputs ? 1 : 0
      const first = bias[channel], second = bias[channel + beside]
      for (let row = 0; row < rows.size; row++) {
        const left = (rows.from + row) * line + columns.from * inputs
        for (let column = 0; column < columns.size; column += 2) {
          const step = column + 1 < columns.size ? 1 : 0, gap = step * inputs
          let a = first, b = second, c = first, d = second, weight = at
          for (let tap = 0; tap < rows.taps; tap++) {
            const start = left + tap * line + column * inputs | 0, end = start + run | 0
            for (let here = start; here < end; here = here + 1 | 0) {
              const x = image[here], y = image[here + gap], v = weights[weight], w = weights[weight + 1]
              a += v * x
              b += w * x
              c += v * y
              d += w * y
              weight = weight + 2 | 0
            }
          }
          const here = place.first + row * place.down + column * place.across + channel
          const next = here + step * place.across
          out[next + beside] = d
          out[next] = c
          out[here + beside] = b
          out[here] = a
        }
      }
    }
    return at
  }

  const sequence = (layers, shape, take) => {
    const steps = []
    for (const layer of layers) {
      steps.push(KINDS[layer.kind](layer, shape, take))
      shape = steps[steps.length - 1].shape
    }
    const run = (values, condition) => {
      for (let step = 0; step < steps.length; step++) values = steps[step].run(values, condition)
      return values
    }
    return { shape, run }
  }

  // The two types of layers: with an output buffer, and in place. `shape` is the output shape.
  const filling = (shape, fill) => {
    const out = new Float32Array(count(shape))
    const run = (values, condition) => {
      fill(out, values, condition)
      return out
    }
    return { shape, run }
  }
  const inPlace = (shape, change) => ({ shape, run: (values) => { change(values); return values } })

  // Transposes rows x columns: converts between channels first and channels last.
  const transposed = (rows, columns, shape) => filling(shape, (out, values) => {
    for (let row = 0, from = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) out[column * rows + row] = values[from++]
  })

  // Layer constructors by kind, given the input shape [height, width, channels].
  const KINDS = {
    label: ({ classes }, [, , size]) => filling([1, 1, size + classes + 1], (out, values, condition) => {
      out.fill(0)
      out.set(values)
      if (condition?.length) out.set(condition, size)
      else out[size + (condition >= 0 && condition < classes ? condition : classes)] = 1
    }),

    snap({ size, entries }, shape, take) {
      const book = take(entries)
      return filling(shape, (out, values) => {
        for (let start = 0; start < out.length; start += size) {
          const there = Math.min(size, out.length - start)
          let nearest = 0, least = Infinity
          for (let entry = 0; entry < book.length; entry += size) {
            let distance = 0
            for (let i = 0; i < there; i++) distance += (values[start + i] - book[entry + i]) ** 2
            if (distance < least) {
              least = distance
              nearest = entry
            }
          }
          for (let i = 0; i < there; i++) out[start + i] = book[nearest + i]
        }
      })
    },

    linear({ weight, bias }, [, , inputs], take) {
      const weights = take(weight), biases = take(bias), outputs = biases.length, last = outputs - 1
      return filling([1, 1, outputs], (out, values) => {
        for (let o = 0; o < outputs; o += 4) { // four at a time; the last may be computed more than once
          const p = Math.min(o + 1, last), q = Math.min(o + 2, last), r = Math.min(o + 3, last)
          const first = o * inputs, second = p * inputs, third = q * inputs, fourth = r * inputs
          let a = biases[o], b = biases[p], c = biases[q], d = biases[r]
          for (let i = 0; i < inputs; i = i + 1 | 0) {
            const x = values[i]
            a += weights[first + i] * x
            b += weights[second + i] * x
            c += weights[third + i] * x
            d += weights[fourth + i] * x
          }
          out[o] = a
          out[p] = b
          out[q] = c
          out[r] = d
        }
      })
    },

    // A transposed convolution, computed as one small convolution per phase of its stride.
    spread({ kernel, stride, padding, extra, weight, bias }, [height, width, inputs], take) {
      const weights = take(weight), biases = take(bias), outputs = biases.length
      const [tall, wide] = [height, width].map((side, axis) =>
        (side - 1) * stride[axis] - 2 * padding[axis] + kernel[axis] + extra[axis])
      const rows = phases(tall, kernel[0], stride[0], padding[0])
      const columns = phases(wide, kernel[1], stride[1], padding[1])
      const [top, bottom] = margins(height, rows), [left, right] = margins(width, columns)
      for (const part of rows) part.from += top
      for (const part of columns) part.from += left
      const down = stride[0] * wide * outputs, across = stride[1] * outputs
      const places = rows.map((row) => columns.map((column) =>
        ({ first: (row.first * wide + column.first) * outputs, down, across })))
      const span = left + width + right
      const padded = new Float32Array((top + height + bottom) * span * inputs)
      return filling([tall, wide, outputs], (out, values) => {
        for (let row = 0, from = 0; row < height; row++) {
          const to = ((top + row) * span + left) * inputs
          for (let i = 0; i < width * inputs; i++) padded[to + i] = values[from++]
        }
        for (let i = 0, at = 0; i < rows.length; i++)
          for (let j = 0; j < columns.length; j++)
            at = slide(padded, span, inputs, rows[i], columns[j], weights, at, biases, out, places[i][j])
      })
    },

    // Torch computes the nearest pixel in float32.
    upsample({ size }, [height, width, channels]) {
      const nearest = (before, after) => Array.from({ length: after }, (_, i) =>
        Math.min(before - 1, Math.floor(Math.fround(i * Math.fround(before / after)))))
      const columns = nearest(width, size[1])
      const from = nearest(height, size[0]).flatMap((row) => columns.map((column) => (row * width + column) * channels))
      return filling([...size, channels], (out, values) => {
        for (let pixel = 0, to = 0; pixel < from.length; pixel++)
          for (let channel = 0; channel < channels; channel++) out[to++] = values[from[pixel] + channel]
      })
    },

    residual({ main, shortcut }, shape, take) {
      const long = sequence(main, shape, take), short = sequence(shortcut, shape, take)
      return filling(long.shape, (out, values) => {
        const one = long.run(values), other = short.run(values)
        for (let i = 0; i < out.length; i++) out[i] = one[i] + other[i]
      })
    },

    scale({ factor, shift }, shape, take) {
      const factors = take(factor), shifts = take(shift), channels = shape[2]
      return inPlace(shape, (values) => {
        for (let start = 0; start < values.length; start += channels)
          for (let channel = 0; channel < channels; channel++)
            values[start + channel] = values[start + channel] * factors[channel] + shifts[channel]
      })
    },

    // Group normalisation: each group of adjacent channels to mean 0 and variance 1 over all pixels.
    normalise({ groups, epsilon }, shape) {
      const channels = shape[2], size = channels / groups, total = count(shape) / groups
      return inPlace(shape, (values) => {
        for (let group = 0; group < channels; group += size) {
          let mean = 0, square = 0
          for (let start = group; start < values.length; start += channels)
            for (let i = start; i < start + size; i++) {
              mean += values[i] / total
              square += values[i] ** 2 / total
            }
          const factor = 1 / Math.sqrt(Math.max(0, square - mean * mean) + epsilon)
          for (let start = group; start < values.length; start += channels)
            for (let i = start; i < start + size; i++) values[i] = (values[i] - mean) * factor
        }
      })
    },

    bend: ({ name, slope }, shape) => inPlace(shape, (values) => ACTIVATIONS[name](values, slope)),
    image: ({ shape: [channels, height, width] }) => transposed(channels, height * width, [height, width, channels]),
    planes: (_, shape) => transposed(shape[0] * shape[1], shape[2], shape),

    // Expected brightness of logits over grey levels.
    levels({ levels }, shape) {
      const size = count(shape) / levels
      return filling([1, 1, size], (out, logits) => {
        for (let i = 0; i < size; i++) {
          let highest = -Infinity, sum = 0, bright = 0
          for (let level = 0; level < levels; level++) highest = Math.max(highest, logits[level * size + i])
          for (let level = 0; level < levels; level++) {
            const share = Math.exp(logits[level * size + i] - highest)
            sum += share
            bright += share * level
          }
          out[i] = bright / sum / (levels - 1)
        }
      })
    },
  }

  const fromHalf = (bits) => {
    const exponent = (bits >> 10) & 31, fraction = (bits & 1023) / 1024
    return (bits & 32768 ? -1 : 1) * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14)
  }

  // Reads the output of `pack_decoder` (an ArrayBuffer or Uint8Array). Returns the sample's `shape` [channels, height,
  // width] and `decode(z, condition)`. That returns values in [0, 1], channels first, in an array that the next call
  // overwrites; `condition`, for conditional decoders, is a class index or weights of all classes and of "unknown".
  const readDecoder = (packed) => {
    const bytes = packed instanceof ArrayBuffer ? new Uint8Array(packed) : packed
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
    if (head.format !== FORMAT) throw new Error(`a decoder of format ${head.format}; this page reads ${FORMAT}`)
    const rest = bytes.slice(4 + length).buffer // a copy, for alignment
    const numbers = head.half ? Float32Array.from(new Uint16Array(rest), fromHalf) : new Float32Array(rest)
    const take = ([start, size]) => numbers.subarray(start, start + size)
    const network = sequence(head.layers, [1, 1, head.latent_dim], take)
    const decode = (z, condition) => {
      if (z.length !== head.latent_dim) throw new RangeError(`a code of ${z.length} numbers; it has ${head.latent_dim}`)
      return network.run(z, condition)
    }
    return { shape: head.sample_shape, decode }
  }

  // Fills a canvas with a sample [channels, height, width] of 1 (grey), 3 (RGB) or 4 (RGBA) channels, unsmoothed.
  const sheets = new WeakMap() // sample-sized canvases, by context
  const paintSample = (context, values, [channels, height, width]) => {
    let sheet = sheets.get(context)
    if (sheet?.pixels.width !== width || sheet.pixels.height !== height) {
      const canvas = Object.assign(document.createElement("canvas"), { width, height })
      sheet = { canvas, brush: canvas.getContext("2d"), pixels: new ImageData(width, height) }
      sheets.set(context, sheet)
    }
    const { data } = sheet.pixels, size = height * width, green = channels > 1 ? size : 0
    for (let i = 0; i < size; i++) {
      data[4 * i] = 255 * values[i]
      data[4 * i + 1] = 255 * values[i + green]
      data[4 * i + 2] = 255 * values[i + 2 * green]
      data[4 * i + 3] = channels === 4 ? 255 * values[i + 3 * size] : 255
    }
    sheet.brush.putImageData(sheet.pixels, 0, 0)
    const { width: wide, height: tall } = context.canvas
    context.imageSmoothingEnabled = false
    context.clearRect(0, 0, wide, tall)
    context.drawImage(sheet.canvas, 0, 0, wide, tall)
  }

  return { readDecoder, paintSample }
})()
