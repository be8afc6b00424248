namespace CmvcStream.Core.Motion;

/// <summary>
/// A bit's adaptive probability, 1 to 2047 of 2048 that it is zero. Starts even and moves by a sixteenth at each bit: payloads are short.
/// </summary>
public struct AdaptiveBit
{
    private const int Shift = 4;

    private short _offset;

    internal readonly uint Zero => (uint)(RangeEncoder.Half + _offset);

    internal void Update(int bit) => _offset += (short)(bit == 0
        ? (2 * RangeEncoder.Half - (int)Zero) >> Shift
        : -((int)Zero >> Shift));
}

/// <summary>
/// Adaptive binary range encoder with carry (Martin, "Range encoding", 1979). Integer arithmetic only: the same bits give the same bytes on
/// every machine. Trailing zero bytes are not written, the decoder supplies them.
/// </summary>
public ref struct RangeEncoder(Span<byte> buffer)
{
    internal const int ProbabilityBits = 11;
    internal const int Half = 1 << (ProbabilityBits - 1);
    internal const uint Smallest = 1 << 24;

    private readonly Span<byte> _buffer = buffer;
    private ulong _low;
    private uint _range = uint.MaxValue;
    private int _written;

    /// <summary>The buffer was too small: nothing that was encoded is of use.</summary>
    public bool Overflowed { get; private set; }

    public void Encode(ref AdaptiveBit model, int bit)
    {
        var bound = (_range >> ProbabilityBits) * model.Zero;
        Narrow(bit == 0 ? 0 : bound, bit == 0 ? bound : _range - bound);
        model.Update(bit);
    }

    /// <summary>A bit that is as likely 0 as 1.</summary>
    public void EncodeEven(int bit)
    {
        var half = _range >> 1;
        Narrow(bit == 0 ? 0 : half, half);
    }

    /// <summary>Ends the code and returns how many bytes of the buffer it takes.</summary>
    public int Finish()
    {
        // Of all numbers in [low, low + range) the one with most trailing zeros.
        var high = _low + _range - 1;
        for (var bits = 32; bits >= 0; bits--)
        {
            var value = high >> bits << bits;
            if (value < _low)
                continue;
            _low = value;
            break;
        }

        for (var i = 0; i < 4; i++)
            ShiftOut();
        var length = Math.Min(_written, _buffer.Length);
        while (length > 0 && _buffer[length - 1] == 0)
            length--;
        return length;
    }

    private void Narrow(uint start, uint size)
    {
        _low += start;
        _range = size;
        while (_range < Smallest)
        {
            _range <<= 8;
            ShiftOut();
        }
    }

    private void ShiftOut()
    {
        if (_low > uint.MaxValue)
        {
            // Carry: the bytes written so far, read as one number, grow by one.
            for (var i = Math.Min(_written, _buffer.Length) - 1; i >= 0 && ++_buffer[i] == 0; i--)
            {
            }
        }

        if (_written < _buffer.Length)
            _buffer[_written] = (byte)(_low >> 24);
        else if ((byte)(_low >> 24) != 0)
            Overflowed = true;
        _written++;
        _low = (uint)_low << 8;
    }
}

/// <summary>Reads what <see cref="RangeEncoder"/> wrote. Any bytes decode to some bits; it never reads past the end.</summary>
public ref struct RangeDecoder
{
    private readonly ReadOnlySpan<byte> _data;
    private uint _range = uint.MaxValue;
    private uint _code;
    private int _read;

    public RangeDecoder(ReadOnlySpan<byte> data)
    {
        _data = data;
        for (var i = 0; i < 4; i++)
            _code = (_code << 8) | Next();
    }

    public int Decode(ref AdaptiveBit model)
    {
        var bound = (_range >> RangeEncoder.ProbabilityBits) * model.Zero;
        var bit = Split(bound);
        model.Update(bit);
        return bit;
    }

    public int DecodeEven() => Split(_range >> 1, _range >> 1);

    private int Split(uint bound) => Split(bound, _range - bound);

    private int Split(uint bound, uint rest)
    {
        var bit = _code < bound ? 0 : 1;
        if (bit == 0)
        {
            _range = bound;
        }
        else
        {
            _code -= bound;
            _range = rest;
        }

        while (_range < RangeEncoder.Smallest)
        {
            _range <<= 8;
            _code = (_code << 8) | Next();
        }

        return bit;
    }

    private byte Next() => _read < _data.Length ? _data[_read++] : (byte)0;
}
