// What does a filter want to know of an inline line?
namespace KeyEvt.Resp.Requests;

/// <summary>Keeps the head of the first word.</summary>
internal struct InlineNameSink : IArgumentSink
{
    /// <summary>A field, not a property: the head is a mutable struct.</summary>
    public CommandNameHead Head;

    public bool HasBegun { get; private set; }

    public void BeginArgument() => HasBegun = true;

    public void Add(byte value) => Head.Add(value);
}
