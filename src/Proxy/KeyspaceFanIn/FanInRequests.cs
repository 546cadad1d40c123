using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What do a client's requests mean for its merged stream? Asked by the request pump, in their order, before they go upstream.
/// <para>
/// Inside MULTI a mark would break the transaction, and with replies off there are none to judge by: there nothing is merged. To end a subscription no answer is needed: what is dropped
/// too early the client has asked to hear no more.
/// </para>
/// </summary>
/// <param name="overflow">Ends the session.</param>
internal sealed class FanInRequests(FanInStream stream, Action overflow)
{
    private bool _isInMulti;

    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY OFF or SKIP.</param>
    /// <returns>Null: it goes upstream as it is.</returns>
    public Interception? InterceptionOf(RespRequest request, bool repliesMayBeOff)
    {
        var mayMark = !_isInMulti && !repliesMayBeOff;
        switch (FanInCommands.Of(request[0].Span, request[0].Length))
        {
            case FanInCommand.Subscribe when mayMark && KeyspaceNames.AreIn(request):
                return new SubscribeAnswer(request, stream, overflow);
            case FanInCommand.Hello when mayMark && stream.IsActive:
                return new HelloAnswer(request, stream.Inbox, overflow);
            case FanInCommand.Hello:
                stream.GiveUp("HELLO inside MULTI, or with replies off, hides in which protocol the client is to be spoken to");
                break;
            case FanInCommand.Unsubscribe:
                Drop(request, arePatterns: false);
                break;
            case FanInCommand.UnsubscribePatterns:
                Drop(request, arePatterns: true);
                break;
            case FanInCommand.Reset when request.Count == 1:
                stream.DropAll();
                _isInMulti = false;
                break;
            case FanInCommand.Multi when request.Count == 1:
                _isInMulti = true;
                break;
            case FanInCommand.EndOfMulti:
                _isInMulti = false;
                break;
        }

        return null;
    }

    /// <summary>A request was too large to be looked at. If it has unsubscribed, nothing must be delivered any more.</summary>
    public void TooLarge() => stream.GiveUp("a request that may have unsubscribed is too large to be looked at");

    /// <summary>All of the kind when none is named.</summary>
    private void Drop(RespRequest request, bool arePatterns)
    {
        if (!stream.IsActive) return;
        var keys = Enumerable.Range(1, request.Count - 1).Select(i => FanInNameSet.KeyOf(arePatterns, request[i].Span)).ToHashSet();
        stream.Drop((key, name) => name.IsPattern == arePatterns && (keys.Count == 0 || keys.Contains(key)));
    }
}
