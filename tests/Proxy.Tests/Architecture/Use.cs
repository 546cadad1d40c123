// What is one use of a type by another file?
namespace KeyEvt.Proxy.Tests.Architecture;

/// <summary>A file names a type, or a member of a type, that another file declares.</summary>
internal sealed record Use(string From, int Line, string Type, string To)
{
    public override string ToString() => $"{From}:{Line} uses {Type} of {To}";
}
