// What does a filter want to know of an inline line?
namespace KeyEvt.Resp;

/// <summary>Keeps what <see cref="IRequestFilter"/> asks for: the head of the name, its length, and how many arguments there are.</summary>
internal struct InlineNameSink : IArgumentSink
{
    public CommandNameHead Head;

    public int NameLength { get; private set; }

    public int Count { get; private set; }

    public void BeginArgument() => Count++;

    public void Add(byte value)
    {
        if (Count > 1) return;
        Head.Add(value);
        NameLength++;
    }
}
