// Which replies are there, and how are they written on the wire?
namespace KeyEvt.Resp.Tests.Replies;

/// <summary>One element with what is in it. Attributes and pushes stand beside the element they are in front of.</summary>
internal sealed record Reply(char Type, string Text, Reply[] Elements, Reply[] Beside)
{
    public bool IsAggregate => Type is '*' or '~' or '>' or '%' or '|';

    public int Depth => 1 + Elements.Concat(Beside).Select(e => e.Depth).DefaultIfEmpty().Max();

    public string Wire => string.Concat(Beside.Select(b => b.Wire)) + OwnWire;

    private string OwnWire => Type switch
    {
        _ when IsAggregate => $"{Type}{Elements.Length / (Type is '%' or '|' ? 2 : 1)}\r\n{string.Concat(Elements.Select(e => e.Wire))}",
        '$' or '!' or '=' => $"{Type}{Text.Length}\r\n{Text}\r\n",
        'n' => "$-1\r\n",
        'N' => "*-1\r\n",
        _ => $"{Type}{Text}\r\n",
    };
}
