using System.Text;

namespace CmvcStream.TestKit;

/// <summary>
/// Writes small ONNX files for tests: the few fields of onnx.proto (ONNX 1.16, https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto)
/// that a graph of plain nodes needs, in protobuf's wire format.
/// </summary>
public sealed class OnnxFile
{
    private const int Float = 1, Byte = 2, Int64 = 7;
    private readonly List<byte[]> _nodes = [], _inputs = [], _outputs = [], _weights = [];

    /// <summary>A tensor that goes in; -1 is a dimension that is free.</summary>
    public OnnxFile Input(string name, params long[] shape) => Add(_inputs, Port(name, Float, shape));

    /// <summary>A tensor of whole numbers that goes in.</summary>
    public OnnxFile IntegerInput(string name, params long[] shape) => Add(_inputs, Port(name, Int64, shape));

    /// <summary>A tensor of bytes that goes in.</summary>
    public OnnxFile ByteInput(string name, params long[] shape) => Add(_inputs, Port(name, Byte, shape));

    public OnnxFile ByteOutput(string name, params long[] shape) => Add(_outputs, Port(name, Byte, shape));

    /// <summary>A constant list of whole numbers.</summary>
    public OnnxFile Integers(string name, params long[] values) => Add(_weights,
        Message([Number(1, values.Length), Number(2, Int64), Text(8, name), Bytes(9, [.. values.SelectMany(BitConverter.GetBytes)])]));

    public OnnxFile Output(string name, params long[] shape) => Add(_outputs, Port(name, Float, shape));

    public OnnxFile Weights(string name, long[] shape, params float[] values) => Add(_weights,
        Message([.. shape.Select(d => Number(1, d)), Number(2, Float), Text(8, name), Bytes(9, [.. values.SelectMany(BitConverter.GetBytes)])]));

    public OnnxFile Node(string op, string[] inputs, string output) => Add(_nodes, Message([.. inputs.Select(i => Text(1, i)), Text(2, output), Text(4, op)]));

    /// <summary>The model: IR version 8, operator set 13.</summary>
    public byte[] ToBytes() => Message([Number(1, 8), Bytes(7, Message([.. _nodes.Select(n => Bytes(1, n)), Text(2, "test"), .. _weights.Select(w => Bytes(5, w)),
        .. _inputs.Select(i => Bytes(11, i)), .. _outputs.Select(o => Bytes(12, o))])), Bytes(8, Message([Text(1, ""), Number(2, 13)]))]);

    public string WriteTo(string path)
    {
        File.WriteAllBytes(path, ToBytes());
        return path;
    }

    private OnnxFile Add(List<byte[]> to, byte[] message)
    {
        to.Add(message);
        return this;
    }

    private static byte[] Port(string name, int type, long[] shape) => Message([Text(1, name), Bytes(2, Message([Bytes(1, Message([Number(1, type),
        Bytes(2, Message([.. shape.Select((d, i) => Bytes(1, Message([d < 0 ? Text(2, $"{name}{i}") : Number(1, d)])))]))]))]))]);

    private static byte[] Message(byte[][] fields) => [.. fields.SelectMany(f => f)];

    private static byte[] Number(int field, long value) => [.. Varint((ulong)field << 3), .. Varint((ulong)value)];

    private static byte[] Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    private static byte[] Bytes(int field, byte[] value) => [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)value.Length), .. value];

    private static IEnumerable<byte> Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }
}
