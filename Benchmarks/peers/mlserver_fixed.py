"""A model of MLServer that answers two fixed rows: what is measured is the server, not a model."""
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Fixed(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, model_version="7", outputs=[
            ResponseOutput(name="score", datatype="FP64", shape=[2], data=[0.98, 0.91])])
