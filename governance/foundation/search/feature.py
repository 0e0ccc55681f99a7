"""Search over every object that the reader may open."""

from governance.foundation.privacy.events import PersonErased
from governance.foundation.search import indexing, jobs, models, views
from governance.kernel.manifest import Daily, Manifest, Subscription

manifest = Manifest(
    name="search",
    models=(models,),
    routes=(views.feature,),
    schedule=(Daily(jobs.CHECK, jobs.check_indexes, at="02:53"),),
    subscribes=(Subscription(PersonErased, indexing.compare_before_commit, order=45),),
)
