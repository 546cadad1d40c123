// Which part of an inline line does a filter need?
namespace KeyEvt.Resp.Requests;

/// <summary>Keeps the head of the first word.</summary>
internal struct InlineNameSink : IArgumentSink
{
    /// <summary>A field and not a property, because the head is a mutable struct.</summary>
    public CommandNameHead Head;

    public bool HasBegun { get; private set; }

    public void BeginArgument() => HasBegun = true;

    public void Add(byte value) => Head.Add(value);
}
