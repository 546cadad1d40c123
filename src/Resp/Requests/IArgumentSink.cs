// Who keeps the arguments of an inline line?
namespace KeyEvt.Resp.Requests;

/// <summary>Receives the arguments of an inline line as they are found.</summary>
internal interface IArgumentSink
{
    void BeginArgument();

    void Add(byte value);
}
