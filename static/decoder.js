// Runs a decoder packed by aeviz/export/decoder.py: from a code to a picture, in the page. A layer is a function from
// numbers to numbers with a buffer of its own, so that decoding allocates nothing. Images lie channels last.
const { readDecoder, paintSample } = (() => {
  const FORMAT = 1
  const count = (shape) => shape.reduce((product, side) => product * side, 1)

  // Abramowitz & Stegun 7.1.26, within 1.5e-7.
  const erf = (x) => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x))
    const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return Math.sign(x) * (1 - tail * Math.exp(-x * x))
  }
  const BENDS = {
    relu: (x) => (x > 0 ? x : 0),
    leaky_relu: (x, slope) => (x > 0 ? x : slope * x),
    elu: (x) => (x > 0 ? x : Math.expm1(x)),
    gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
    silu: (x) => x / (1 + Math.exp(-x)),
    tanh: Math.tanh,
  }

  // Of each phase along one side: the pixels it fills (`size`, from `first`, a stride apart), and the taps that reach
  // them, the first of them from the pixel `from`.
  const phases = (before, after, kernel, stride, padding) => Array.from({ length: stride }, (_, phase) => {
    const taps = Math.max(0, Math.ceil((kernel - phase) / stride))
    const first = (((phase - padding) % stride) + stride) % stride
    const from = (first + padding - phase) / stride - taps + 1
    return { taps, first, from, size: Math.max(0, Math.ceil((after - first) / stride)) }
  })
  const margins = (before, parts) => [
    Math.max(0, ...parts.map((part) => -part.from)),
    Math.max(0, ...parts.map((part) => part.from + part.size + part.taps - 1 - before)),
  ]

  // The weights of one phase over a padded image, from weight `at` on; the weight that follows them. A row of taps is
  // one run of numbers. Two pixels and two channels at a time; where one is left over, it is its own neighbour.
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
            const start = left + tap * line + column * inputs
            for (let here = start; here < start + run; here++) {
              const x = image[here], y = image[here + gap], v = weights[weight], w = weights[weight + 1]
              a += v * x
              b += w * x
              c += v * y
              d += w * y
              weight += 2
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
      const made = KINDS[layer.kind](layer, shape, take)
      steps.push(made.run)
      shape = made.shape
    }
    const run = (values, label) => {
      for (let step = 0; step < steps.length; step++) values = steps[step](values, label)
      return values
    }
    return { shape, run }
  }

  // By kind: what a layer makes of a shape [height, width, channels], and of values.
  const KINDS = {
    label({ classes }, [, , size]) {
      const out = new Float32Array(size + classes + 1)
      const run = (values, label) => {
        out.fill(0)
        out.set(values)
        out[size + (label >= 0 && label < classes ? label : classes)] = 1
        return out
      }
      return { shape: [1, 1, out.length], run }
    },

    snap({ size, entries }, [, , length], take) {
      const book = take(entries), out = new Float32Array(length)
      const run = (values) => {
        for (let start = 0; start < length; start += size) {
          const there = Math.min(size, length - start)
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
        return out
      }
      return { shape: [1, 1, length], run }
    },

    linear({ weight, bias }, [, , inputs], take) {
      const weights = take(weight), biases = take(bias), outputs = biases.length, last = outputs - 1
      const out = new Float32Array(outputs)
      const run = (values) => {
        for (let o = 0; o < outputs; o += 4) { // four at a time; the last may be computed twice
          const p = Math.min(o + 1, last), q = Math.min(o + 2, last), r = Math.min(o + 3, last)
          const to = (o + 1) * inputs, second = (p - o) * inputs, third = (q - o) * inputs, fourth = (r - o) * inputs
          let a = biases[o], b = biases[p], c = biases[q], d = biases[r]
          for (let at = o * inputs, i = 0; at < to; at++, i++) {
            const x = values[i]
            a += weights[at] * x
            b += weights[at + second] * x
            c += weights[at + third] * x
            d += weights[at + fourth] * x
          }
          out[o] = a
          out[p] = b
          out[q] = c
          out[r] = d
        }
        return out
      }
      return { shape: [1, 1, outputs], run }
    },

    // A transposed convolution, as one small convolution for every phase of its stride.
    spread({ kernel, stride, padding, extra, weight, bias }, [height, width, inputs], take) {
      const weights = take(weight), biases = take(bias)
      const [tall, wide] = [height, width].map((side, axis) =>
        (side - 1) * stride[axis] - 2 * padding[axis] + kernel[axis] + extra[axis])
      const rows = phases(height, tall, kernel[0], stride[0], padding[0])
      const columns = phases(width, wide, kernel[1], stride[1], padding[1])
      const [top, bottom] = margins(height, rows), [left, right] = margins(width, columns)
      const across = left + width + right
      for (const part of rows) part.from += top
      for (const part of columns) part.from += left
      const padded = new Float32Array((top + height + bottom) * across * inputs)
      const out = new Float32Array(tall * wide * biases.length)
      const down = stride[0] * wide * biases.length
      const places = rows.map((row) => columns.map((column) =>
        ({ first: (row.first * wide + column.first) * biases.length, down, across: stride[1] * biases.length })))
      const run = (values) => {
        for (let row = 0, from = 0; row < height; row++) {
          const to = ((top + row) * across + left) * inputs
          for (let i = 0; i < width * inputs; i++) padded[to + i] = values[from++]
        }
        let at = 0
        for (let i = 0; i < rows.length; i++)
          for (let j = 0; j < columns.length; j++)
            at = slide(padded, across, inputs, rows[i], columns[j], weights, at, biases, out, places[i][j])
        return out
      }
      return { shape: [tall, wide, biases.length], run }
    },

    // Torch works the nearest pixel out in float32.
    upsample({ size }, [height, width, channels]) {
      const nearest = (before, after) => Int32Array.from({ length: after }, (_, i) =>
        Math.min(before - 1, Math.floor(Math.fround(i * Math.fround(before / after)))))
      const rows = nearest(height, size[0]), columns = nearest(width, size[1])
      const out = new Float32Array(size[0] * size[1] * channels)
      const run = (values) => {
        let to = 0
        for (let row = 0; row < rows.length; row++)
          for (let column = 0; column < columns.length; column++) {
            const from = (rows[row] * width + columns[column]) * channels
            for (let channel = 0; channel < channels; channel++) out[to++] = values[from + channel]
          }
        return out
      }
      return { shape: [...size, channels], run }
    },

    residual({ main, shortcut }, shape, take) {
      const long = sequence(main, shape, take), short = sequence(shortcut, shape, take)
      const run = (values) => {
        const out = long.run(values), added = short.run(values)
        for (let i = 0; i < out.length; i++) out[i] += added[i]
        return out
      }
      return { shape: long.shape, run }
    },

    scale({ factor, shift }, shape, take) {
      const factors = take(factor), shifts = take(shift), channels = factors.length
      const run = (values) => {
        for (let start = 0; start < values.length; start += channels)
          for (let channel = 0; channel < channels; channel++)
            values[start + channel] = values[start + channel] * factors[channel] + shifts[channel]
        return values
      }
      return { shape, run }
    },

    // Every group of neighbouring channels to mean 0 and variance 1, over all pixels.
    normalise({ groups, epsilon }, shape) {
      const channels = shape[2], size = channels / groups, total = count(shape) / groups
      const run = (values) => {
        for (let group = 0; group < channels; group += size) {
          let mean = 0, variance = 0
          for (let start = group; start < values.length; start += channels)
            for (let i = start; i < start + size; i++) mean += values[i] / total
          for (let start = group; start < values.length; start += channels)
            for (let i = start; i < start + size; i++) variance += (values[i] - mean) ** 2 / total
          const factor = 1 / Math.sqrt(variance + epsilon)
          for (let start = group; start < values.length; start += channels)
            for (let i = start; i < start + size; i++) values[i] = (values[i] - mean) * factor
        }
        return values
      }
      return { shape, run }
    },

    bend({ name, slope }, shape) {
      const bend = BENDS[name]
      const run = (values) => {
        for (let i = 0; i < values.length; i++) values[i] = bend(values[i], slope)
        return values
      }
      return { shape, run }
    },

    image({ shape: [channels, height, width] }) {
      const pixels = height * width, out = new Float32Array(channels * pixels)
      const run = (values) => {
        for (let channel = 0, from = 0; channel < channels; channel++)
          for (let pixel = 0; pixel < pixels; pixel++) out[pixel * channels + channel] = values[from++]
        return out
      }
      return { shape: [height, width, channels], run }
    },

    planes(_, shape) {
      const [height, width, channels] = shape, pixels = height * width, out = new Float32Array(channels * pixels)
      const run = (values) => {
        for (let pixel = 0, from = 0; pixel < pixels; pixel++)
          for (let channel = 0; channel < channels; channel++) out[channel * pixels + pixel] = values[from++]
        return out
      }
      return { shape, run }
    },
  }

  // How logits become a picture.
  const MEANS = {
    sigmoid: (_, size) => {
      const out = new Float32Array(size)
      return (logits) => {
        for (let i = 0; i < size; i++) out[i] = 1 / (1 + Math.exp(-logits[i]))
        return out
      }
    },

    levels: ({ levels }, size) => {
      const out = new Float32Array(size)
      return (logits) => {
        for (let i = 0; i < size; i++) {
          let highest = -Infinity, sum = 0, bright = 0
          for (let level = 0; level < levels; level++) highest = Math.max(highest, logits[level * size + i])
          for (let level = 0; level < levels; level++) {
            const weight = Math.exp(logits[level * size + i] - highest)
            sum += weight
            bright += (weight * level) / (levels - 1)
          }
          out[i] = bright / sum
        }
        return out
      }
    },
  }

  const fromHalf = (bits) => {
    const exponent = (bits >> 10) & 31, fraction = (bits & 1023) / 1024
    return (bits & 32768 ? -1 : 1) * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14)
  }

  // From what `pack_decoder` gives (an ArrayBuffer or a Uint8Array) to
  //   shape          of a sample, [channels, height, width]
  //   latentDim      numbers in a code
  //   decode(z, label)  the sample's values in [0, 1], channel by channel, in an array that the next call fills anew;
  //                  `label` is the number of a class, for decoders that are told one
  const readDecoder = (packed) => {
    const bytes = packed instanceof ArrayBuffer ? new Uint8Array(packed) : packed
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
    if (head.format !== FORMAT) throw new Error(`a decoder of format ${head.format}; this page reads ${FORMAT}`)
    const rest = bytes.slice(4 + length).buffer // a copy, so that its numbers are aligned
    const numbers = head.half ? Float32Array.from(new Uint16Array(rest), fromHalf) : new Float32Array(rest)
    const take = ([start, size]) => numbers.subarray(start, start + size)
    const network = sequence(head.layers, [1, 1, head.latent_dim], take)
    const mean = MEANS[head.mean.kind](head.mean, count(head.sample_shape))
    const decode = (z, label) => {
      if (z.length !== head.latent_dim) throw new RangeError(`a code of ${z.length} numbers; it has ${head.latent_dim}`)
      return mean(network.run(z, label))
    }
    return { shape: head.sample_shape, latentDim: head.latent_dim, decode }
  }

  // Fills a canvas with a sample, [channels, height, width] in grey, colour or colour with opacity, its pixels hard.
  const sheets = new WeakMap() // by context: a canvas of the sample's size
  const paintSample = (context, values, [channels, height, width]) => {
    let sheet = sheets.get(context)
    if (sheet?.pixels.width !== width || sheet.pixels.height !== height) {
      const canvas = Object.assign(document.createElement("canvas"), { width, height })
      sheet = { canvas, brush: canvas.getContext("2d"), pixels: new ImageData(width, height) }
      sheets.set(context, sheet)
    }
    const { data } = sheet.pixels, size = height * width
    const green = channels > 1 ? size : 0, blue = 2 * green
    for (let i = 0; i < size; i++) {
      data[4 * i] = 255 * values[i]
      data[4 * i + 1] = 255 * values[i + green]
      data[4 * i + 2] = 255 * values[i + blue]
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
