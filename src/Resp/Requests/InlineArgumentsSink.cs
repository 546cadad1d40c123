// What are all the arguments of an inline line?
namespace KeyEvt.Resp.Requests;

/// <summary>Keeps every argument, one behind the other. Used only for requests that are held whole, which are small and rare.</summary>
internal struct InlineArgumentsSink(byte[] storage) : IArgumentSink
{
    private readonly List<int> _starts = [];
    private int _end;

    public readonly void BeginArgument() => _starts.Add(_end);

    public void Add(byte value) => storage[_end++] = value;

    public readonly ReadOnlyMemory<byte>[] ToArguments()
    {
        var arguments = new ReadOnlyMemory<byte>[_starts.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            var end = i + 1 < arguments.Length ? _starts[i + 1] : _end;
            arguments[i] = storage.AsMemory(_starts[i], end - _starts[i]);
        }

        return arguments;
    }
}
